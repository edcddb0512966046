package import Model

/// The newest value of each series of a node or service.
package struct LatestMetrics: Codable, Sendable {
    package var subject: String
    /// When they were measured, by the node's clock.
    package var time: Timestamp?
    package var values: [String: Double]

    package init(subject: String, time: Timestamp?, values: [String: Double]) {
        self.subject = subject
        self.time = time
        self.values = values
    }
}

/// The names of the series that a node or service has.
package struct MetricNames: Codable, Sendable {
    package var names: [String]

    package init(names: [String]) { self.names = names }
}

/// Series over a stretch of time.
package struct MetricRange: Codable, Sendable {
    package var from: Timestamp
    package var to: Timestamp
    /// Milliseconds between points; each point is the mean of what fell into its step.
    package var step: Int64
    package var series: [MetricSeries]

    package init(from: Timestamp, to: Timestamp, step: Int64, series: [MetricSeries]) {
        self.from = from
        self.to = to
        self.step = step
        self.series = series
    }
}

/// One series. A step without a sample has no point.
package struct MetricSeries: Codable, Sendable {
    package var name: String
    package var points: [SeriesPoint]

    package init(name: String, points: [SeriesPoint]) {
        self.name = name
        self.points = points
    }
}

/// `[milliseconds since 1970, value]`.
package struct SeriesPoint: Codable, Sendable, Hashable {
    package var milliseconds: Int64
    package var value: Double

    package init(milliseconds: Int64, value: Double) {
        self.milliseconds = milliseconds
        self.value = value
    }

    package init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        milliseconds = try list.decode(Int64.self)
        value = try list.decode(Double.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var list = encoder.unkeyedContainer()
        try list.encode(milliseconds)
        try list.encode(value)
    }
}
