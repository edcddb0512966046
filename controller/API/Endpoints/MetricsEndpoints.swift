import APIModels
import HTTPTypes
import Metering
import Model
import Store

extension Doors {
    var metrics: [Endpoint] {
        metrics("nodes/{node}", "node") { call in
            let node = try await node(call)
            return Measured(subject: node.id, node: node.id, prefix: "")
        }
            + metrics("services/{service}", "service") { call in
                let service = try await service(call)
                return Measured(subject: service.id, node: service.node, prefix: Measured.prefix(service))
            }
    }

    /// The newest figures of a service, by their names within it; nil when there are none.
    func latestMetrics(of service: ServiceRecord) async throws -> LatestMetrics? {
        try await latest(
            Measured(subject: service.id, node: service.node, prefix: Measured.prefix(service)), names: ["*"])
    }

    private func metrics(
        _ path: String, _ noun: String, _ subject: @escaping @Sendable (APICall) async throws -> Measured
    ) -> [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/\(path)/metrics", .read,
                .init(
                    summary: "Figures of a \(noun) over time", tag: "metrics",
                    query: ["name", "from", "to", "step"], answer: MetricRange.self)
            ) { call in try await .model(range(subject(call), call)) },
            Endpoint(
                .get, "/api/v1/\(path)/metrics/latest", .read,
                .init(
                    summary: "The newest figures of a \(noun)", tag: "metrics", query: ["name"],
                    answer: LatestMetrics.self)
            ) { call in
                let measured = try await subject(call)
                let latest = try await latest(measured, names: try Self.names(call))
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
                let names = try await store.metricNames(node: node, prefix: measured.prefix, since: since)
                return try .model(MetricNames(names: names.map(measured.inner)))
            },
        ]
    }

    private func latest(_ measured: Measured, names: [String]) async throws -> LatestMetrics? {
        guard let node = measured.node,
            let samples = try await store.latestSamples(node: node, prefix: measured.prefix)
        else { return nil }
        var values: [String: Double] = [:]
        for (name, value) in samples.values {
            let name = measured.inner(name)
            if value.isFinite, names.contains(where: { Self.matches($0, name) }) { values[name] = value }
        }
        return LatestMetrics(subject: measured.subject, time: samples.time, values: values)
    }

    private func range(_ measured: Measured, _ call: APICall) async throws -> MetricRange {
        let to = try call.query.time("to") ?? call.time
        let from = try call.query.time("from") ?? to - .seconds(3600)
        guard from < to else { throw Problem(.invalidField, "from must be before to", field: "from") }
        let length = (to - from).wholeMilliseconds
        let step = try call.query.integer("step", 1000...(400 * 86_400_000)) ?? max(1000, length / 60)
        var lines: [MetricLine] = []
        if let node = measured.node {
            lines = try await store.metrics(
                MetricQuery(
                    node: node, names: Self.names(call).map { measured.prefix + $0 }, from: from, to: to,
                    step: .milliseconds(step)))
        }
        return MetricRange(
            from: from, to: to, step: step,
            series: lines.map { line in
                MetricSeries(name: measured.inner(line.name), points: line.points.compactMap(Self.point))
            })
    }

    private static func point(_ point: MetricPoint) -> SeriesPoint? {
        guard let value = point.aggregate.average, value.isFinite else { return nil }
        return SeriesPoint(milliseconds: point.time.milliseconds, value: value)
    }

    /// The wanted names; all without any.
    private static func names(_ call: APICall) throws(Problem) -> [String] {
        let names = call.query.all("name")
        guard names.allSatisfy({ (1...256).contains($0.utf8.count) }) else {
            throw Problem(.invalidField, "a metric's name must be 1 to 256 bytes", field: "name")
        }
        return names.isEmpty ? ["*"] : names
    }

    private static func matches(_ pattern: String, _ name: String) -> Bool {
        pattern.last == "*" ? name.hasPrefix(pattern.dropLast()) : name == pattern
    }
}

/// Whose figures are asked for: a node's, or those of its series that begin with a service's prefix.
private struct Measured {
    let subject: String
    /// Nil when the service was never placed.
    let node: String?
    let prefix: String

    static func prefix(_ service: ServiceRecord) -> String { "container/\(service.id)." }

    /// The name without the prefix.
    func inner(_ name: String) -> String { String(name.dropFirst(prefix.count)) }
}
