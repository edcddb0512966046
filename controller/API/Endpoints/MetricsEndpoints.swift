import APIModels
import ControllerCore
import HTTP
import HTTPTypes
import Metering
import Model
import Store
import WireProtocol

extension APIResources {
    var metrics: [Endpoint] {
        metrics("nodes/{node}", "node") { call in
            try await Measured(node(call))
        }
            + metrics("services/{service}", "service") { call in try await Measured(service(call), operations.catalogue)
            } + [catalogue]
    }

    private var catalogue: Endpoint {
        Endpoint(
            .get, "/api/v1/metrics/catalogue", .read,
            .init(
                summary: "What is measured: names, units, and whether it is a gauge or a counter", tag: "metrics",
                answer: Listing<MetricDescription>.self)
        ) { _ in
            try .model(
                Listing(
                    items: MetricKind.all.map {
                        MetricDescription(
                            name: $0.pattern, kind: $0.form.rawValue, unit: $0.unit, shownUnit: $0.shownUnit,
                            meaning: $0.meaning)
                    }))
        }
    }

    /// The newest figures of a service, by their names within it; nil when there are none.
    func latestMetrics(of service: ServiceRecord, at now: Timestamp) async throws -> LatestMetrics? {
        try await latest(Measured(service, operations.catalogue), names: ["*"], at: now)
    }

    private func metrics(
        _ path: String, _ noun: String, _ subject: @escaping @Sendable (APICall) async throws -> Measured
    ) -> [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/\(path)/metrics", .read,
                .init(
                    summary: "Figures of a \(noun) over time", tag: "metrics",
                    query: [.metricNames, "from", "to", .step], answer: MetricRange.self)
            ) { call in try await .model(range(subject(call), call)) },
            Endpoint(
                .get, "/api/v1/\(path)/metrics/latest", .read,
                .init(
                    summary: "The newest figures of a \(noun)", tag: "metrics", query: [.metricNames],
                    answer: LatestMetrics.self)
            ) { call in
                let measured = try await subject(call)
                let latest = try await latest(measured, names: try Self.names(call), at: call.time)
                return try .model(latest ?? LatestMetrics(subject: measured.subject, time: nil, values: [:]))
            },
            Endpoint(
                .get, "/api/v1/\(path)/metrics/names", .read,
                .init(
                    summary: "What is measured of a \(noun)", tag: "metrics", query: ["since"],
                    answer: MetricNames.self)
            ) { call in
                let measured = try await subject(call)
                let since = try call.query.time("since") ?? call.time - .seconds(24 * 3600)
                guard let node = measured.node else { return try .model(MetricNames(names: [])) }
                var names: [String] = []
                for part in measured.parts {
                    names += try await store.metricNames(node: node, prefix: part.prefix, since: since)
                }
                return try .model(MetricNames(names: names.compactMap(measured.inner).sorted()))
            },
        ]
    }

    private func latest(
        _ measured: Measured, names: [String], at now: Timestamp
    ) async throws -> LatestMetrics? {
        guard let node = measured.node else { return nil }
        var latest: LatestMetrics?
        for part in measured.parts {
            guard
                let samples = try await store.latestSamples(
                    node: node, prefix: part.prefix, until: now + .seconds(300))
            else { continue }
            var (values, units) = (latest?.values ?? [:], latest?.units ?? [:])
            for (outer, value) in samples.figures {
                guard let name = measured.inner(outer), value.isFinite,
                    names.contains(where: { Self.matches($0, name) })
                else { continue }
                values[name] = value
                let unit = MetricKind.of(outer).shownUnit
                if !unit.isEmpty { units[name] = unit }
            }
            latest = LatestMetrics(
                subject: measured.subject, time: max(latest?.time ?? samples.time, samples.time), values: values,
                units: units)
        }
        return latest
    }

    private func range(_ measured: Measured, _ call: APICall) async throws -> MetricRange {
        let to = try call.query.time("to") ?? call.time
        let from = try call.query.time("from") ?? to - .seconds(3600)
        guard from < to else { throw Problem(.invalidField, "from must be before to", field: "from") }
        let length = (to - from).wholeMilliseconds
        let step = try call.query.integer("step", QueryParameter.stepRange) ?? max(1000, length / 60)
        var lines: [MetricLine] = []
        if let node = measured.node {
            lines = try await store.metrics(
                MetricQuery(
                    node: node, names: Self.names(call).flatMap(measured.outer), from: from, to: to,
                    step: .milliseconds(step)))
        }
        return MetricRange(
            from: from, to: to, step: step,
            series: lines.compactMap { line in
                measured.inner(line.name).map {
                    let kind = MetricKind.of(line.name)
                    return MetricSeries(
                        name: $0, unit: kind.shownUnit.isEmpty ? nil : kind.shownUnit, kind: kind.form.rawValue,
                        points: line.points.compactMap(Self.point))
                }
            })
    }

    private static func point(_ point: MetricPoint) -> SeriesPoint? {
        let (least, most) = (point.aggregate.minimum, point.aggregate.maximum)
        guard let mean = point.mean, mean.isFinite, least.isFinite, most.isFinite else { return nil }
        return SeriesPoint(milliseconds: point.time.milliseconds, value: mean, least: least, most: most)
    }

    /// The wanted names; all without any.
    private static func names(_ call: APICall) throws(Problem) -> [String] {
        let names = call.query.all("name")
        guard names.allSatisfy({ (1...256).contains($0.unicodeScalars.count) }) else {
            throw Problem(.invalidField, "a metric's name must be 1 to 256 characters", field: "name")
        }
        return names.isEmpty ? ["*"] : names
    }

    private static func matches(_ pattern: String, _ name: String) -> Bool {
        pattern.last == "*" ? name.hasPrefix(pattern.dropLast()) : name == pattern
    }
}

extension QueryParameter {
    fileprivate static let stepRange: ClosedRange<Int64> = 1000...(400 * 86_400_000)
    fileprivate static let metricNames = QueryParameter(
        "name", ["type": "string", "minLength": 1, "maxLength": 256], isRepeatable: true,
        "Only these; a * at the end of one stands for all that begin so. All without any.")
    fileprivate static let step = integer("step", stepRange, "Milliseconds between two points.")
}
