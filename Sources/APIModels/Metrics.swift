package import Model

/// The newest value of each series of a node or service.
package struct LatestMetrics: Codable, Sendable {
    package var subject: String
    /// When they were measured, by the node's clock.
    package var time: Timestamp?
    /// Of a counter, what it grew by in a second.
    package var values: [String: Double]
    /// The units of the values whose unit is known.
    package var units: [String: String]?

    package init(
        subject: String, time: Timestamp?, values: [String: Double], units: [String: String]? = nil
    ) {
        self.subject = subject
        self.time = time
        self.values = values
        self.units = units
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
    /// Milliseconds between points.
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
    /// Of the points: of a counter, that of its rate. Nil when it is not known.
    package var unit: String?
    /// `gauge` or `counter`.
    package var kind: String?
    package var points: [SeriesPoint]

    package init(name: String, unit: String? = nil, kind: String? = nil, points: [SeriesPoint]) {
        self.name = name
        self.unit = unit
        self.kind = kind
        self.points = points
    }
}

/// `[milliseconds since 1970, mean, least, most]` of one step; of a counter, of its rate a second.
package struct SeriesPoint: Codable, Sendable, Hashable {
    package var milliseconds: Int64
    /// The mean.
    package var value: Double
    package var least: Double
    package var most: Double

    package init(milliseconds: Int64, value: Double, least: Double? = nil, most: Double? = nil) {
        self.milliseconds = milliseconds
        self.value = value
        self.least = least ?? value
        self.most = most ?? value
    }

    package init(from decoder: any Decoder) throws {
        var list = try decoder.unkeyedContainer()
        milliseconds = try list.decode(Int64.self)
        value = try list.decode(Double.self)
        // A controller of an older version says the mean alone.
        least = list.isAtEnd ? value : try list.decode(Double.self)
        most = list.isAtEnd ? value : try list.decode(Double.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var list = encoder.unkeyedContainer()
        try list.encode(milliseconds)
        try list.encode(value)
        try list.encode(least)
        try list.encode(most)
    }
}

/// What series of a name measure.
package struct MetricDescription: Codable, Sendable, Hashable {
    /// A `*` stands for what is measured.
    package var name: String
    /// `gauge`, or `counter`: shown as what it grows by in a second.
    package var kind: String
    /// Of what the nodes send.
    package var unit: String
    /// Of what is shown.
    package var shownUnit: String
    package var meaning: String

    package init(name: String, kind: String, unit: String, shownUnit: String, meaning: String) {
        self.name = name
        self.kind = kind
        self.unit = unit
        self.shownUnit = shownUnit
        self.meaning = meaning
    }
}
