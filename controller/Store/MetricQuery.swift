package import Metering
package import Model

/// Which samples are wanted. Points stand at multiples of `step`; the first and the last step are taken whole.
package struct MetricQuery: Sendable, Hashable {
    package var node: String
    /// Names of series; one that ends in `*` stands for all that begin so.
    package var names: [String]
    package var from: Timestamp
    /// Not included.
    package var to: Timestamp
    package var step: Duration

    /// The most points that one answer has, over all series.
    package static let maximumPoints = 500_000
    /// The end of the year 9999: what comes after it has no form in which it could be told.
    package static let latest = Timestamp(milliseconds: 253_402_300_799_999)

    package init(node: String, names: [String] = ["*"], from: Timestamp, to: Timestamp, step: Duration) {
        self.node = node
        self.names = names
        self.from = from
        self.to = to
        self.step = step
    }

    func matches(_ name: String) -> Bool {
        names.contains { $0.last == "*" ? name.hasPrefix($0.dropLast()) : name == $0 }
    }
}

/// One series of a node over time.
package struct MetricLine: Sendable, Hashable {
    package var name: String
    /// Ascending; a step without a sample has no point.
    package var points: [MetricPoint]
}

/// What was measured within one step.
package struct MetricPoint: Sendable, Hashable {
    /// The start of the step.
    package var time: Timestamp
    /// Of a counter, of its rates a second.
    package var aggregate: Aggregate
    /// Over the whole step; nil without a sample.
    package var mean: Double?
}

/// The newest samples of a node.
package struct LatestSamples: Sendable, Hashable {
    package var time: Timestamp
    package var values: [String: Double]
    /// The samples before these, where they are not long ago: for the rates of counters.
    package var before: [String: Double] = [:]
    package var beforeTime: Timestamp?

    package init(time: Timestamp, values: [String: Double]) {
        self.time = time
        self.values = values
    }

    /// What is shown: gauges as they are, counters as what they grew by in a second since the sample before.
    package var figures: [String: Double] {
        let seconds = beforeTime.map { Double((time - $0).wholeMilliseconds) / 1000 } ?? 0
        return Dictionary(
            uniqueKeysWithValues: values.compactMap { name, value -> (String, Double)? in
                guard MetricKind.of(name).form == .counter else { return (name, value) }
                guard let before = before[name], value >= before, seconds > 0 else { return nil }
                return (name, (value - before) / seconds)
            })
    }
}
