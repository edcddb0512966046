/// What is kept of the samples of one series in a stretch of time. Missing samples (NaN) do not count.
package struct Aggregate: Sendable, Hashable {
    package private(set) var count: Int64 = 0
    package private(set) var minimum = Double.nan
    package private(set) var maximum = Double.nan
    package private(set) var sum = 0.0
    /// The value that was added last: add in order of time.
    package private(set) var last = Double.nan

    package init() {}

    /// Nil without a sample.
    package var average: Double? { count == 0 ? nil : sum / Double(count) }
    package var isEmpty: Bool { count == 0 }

    package mutating func add(_ value: Double) {
        guard !value.isNaN else { return }
        count += 1
        minimum = count == 1 ? value : Swift.min(minimum, value)
        maximum = count == 1 ? value : Swift.max(maximum, value)
        sum += value
        last = value
    }

    /// Takes in a later stretch.
    package mutating func add(_ later: Aggregate) {
        guard !later.isEmpty else { return }
        minimum = isEmpty ? later.minimum : Swift.min(minimum, later.minimum)
        maximum = isEmpty ? later.maximum : Swift.max(maximum, later.maximum)
        count = count.addingReportingOverflow(later.count).partialValue
        sum += later.sum
        last = later.last
    }
}

extension Aggregate {
    /// How many columns of a roll-up chunk one series takes.
    package static let fields = 5

    /// Count, minimum, maximum, sum, last; an empty one is five missing samples.
    var row: [Double] {
        isEmpty ? [Double](repeating: .nan, count: Self.fields) : [Double(count), minimum, maximum, sum, last]
    }

    /// Nil when the row cannot be one of `row`.
    init?(row: [Double]) {
        guard row.count == Self.fields else { return nil }
        if row[0].isNaN { return }
        guard row[0] >= 1, row[0] < 1e15 else { return nil }
        count = Int64(row[0])
        (minimum, maximum, sum, last) = (row[1], row[2], row[3], row[4])
    }
}
