/// How often something took how long: counts below bounds, as Prometheus has them.
package struct Histogram: Sendable, Hashable {
    /// Seconds, ascending; above the last there is one more bucket.
    package let bounds: [Double]
    /// By bucket, each for itself.
    package private(set) var counts: [Int64]
    package private(set) var seconds = 0.0

    package init(bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    package var count: Int64 { counts.reduce(0, +) }

    /// What took less than nothing, because a clock was set, took nothing.
    package mutating func add(_ duration: Duration) {
        let seconds = max(0, Double(duration.wholeMilliseconds) / 1000)
        counts[bounds.firstIndex { seconds <= $0 } ?? bounds.count] += 1
        self.seconds += seconds
    }

    /// How many took no longer than each bound; the last is all of them, without a bound.
    package var cumulative: [(bound: Double?, count: Int64)] {
        var sum: Int64 = 0
        return counts.enumerated().map { index, count in
            sum += count
            return (index < bounds.count ? bounds[index] : nil, sum)
        }
    }
}
