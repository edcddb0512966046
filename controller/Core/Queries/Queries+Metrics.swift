package import APIModels
import Metering
package import Model
import Store

/// Whose figures are asked for.
package enum FigureSubject: Sendable, Hashable {
    /// By id or name.
    case node(String)
    /// By id or external id.
    case service(String)
}

/// Which figures are wanted.
package struct FigureQuestion: Sendable, Hashable {
    /// A `*` at the end of one stands for all that begin so.
    package var names: [String]
    package var from: Timestamp
    /// Not included.
    package var to: Timestamp
    /// Milliseconds between two points.
    package var step: Int64

    package init(names: [String], from: Timestamp, to: Timestamp, step: Int64) {
        (self.names, self.from, self.to, self.step) = (names, from, to, step)
    }
}

extension Queries {
    private func measured(_ subject: FigureSubject) async throws(CoreError) -> Measured {
        switch subject {
        case .node(let text):
            try viewer.requireFleet()
            return Measured(try await node(text))
        case .service(let text): return Measured(try await service(text), catalogue)
        }
    }

    /// Figures over time.
    /// - Parameter question: made once the subject is known to be there.
    package func figures(
        of subject: FigureSubject, _ question: () throws -> FigureQuestion
    ) async throws -> MetricRange {
        let measured = try await measured(subject)
        let question = try question()
        var lines: [MetricLine] = []
        if let node = measured.node {
            let query = MetricQuery(
                node: node, names: question.names.flatMap(measured.outer), from: question.from, to: question.to,
                step: .milliseconds(question.step))
            lines = try await read { store throws(StoreError) in try store.metrics(query) }
        }
        return MetricRange(
            from: question.from, to: question.to, step: question.step,
            series: lines.compactMap { line in
                measured.inner(line.name).map {
                    let kind = MetricKind.of(line.name)
                    return MetricSeries(
                        name: $0, unit: kind.shownUnit.isEmpty ? nil : kind.shownUnit, kind: kind.form.rawValue,
                        points: line.points.compactMap(Self.point))
                }
            })
    }

    /// The newest figures.
    package func newestFigures(
        of subject: FigureSubject, names: () throws -> [String]
    ) async throws -> LatestMetrics {
        let measured = try await measured(subject)
        let latest = try await latest(measured, names: names())
        return latest ?? LatestMetrics(subject: measured.subject, time: nil, values: [:])
    }

    /// What is measured.
    package func figureNames(
        of subject: FigureSubject, since: () throws -> Timestamp
    ) async throws -> MetricNames {
        let measured = try await measured(subject)
        let since = try since()
        guard let node = measured.node else { return MetricNames(names: []) }
        var names: [String] = []
        for part in measured.parts {
            names += try await read { store throws(StoreError) in
                try store.metricNames(node: node, prefix: part.prefix, since: since)
            }
        }
        return MetricNames(names: names.compactMap(measured.inner).sorted())
    }

    func latest(_ measured: Measured, names: [String]) async throws(CoreError) -> LatestMetrics? {
        guard let node = measured.node else { return nil }
        let end = now + .seconds(300)
        var latest: LatestMetrics?
        for part in measured.parts {
            let found = try await read { store throws(StoreError) in
                try store.latestSamples(node: node, prefix: part.prefix, until: end)
            }
            guard let samples = found else { continue }
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

    private static func point(_ point: MetricPoint) -> SeriesPoint? {
        let (least, most) = (point.aggregate.minimum, point.aggregate.maximum)
        guard let mean = point.mean, mean.isFinite, least.isFinite, most.isFinite else { return nil }
        return SeriesPoint(milliseconds: point.time.milliseconds, value: mean, least: least, most: most)
    }

    private static func matches(_ pattern: String, _ name: String) -> Bool {
        pattern.last == "*" ? name.hasPrefix(pattern.dropLast()) : name == pattern
    }
}
