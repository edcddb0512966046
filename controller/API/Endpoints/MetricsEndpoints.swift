import APIModels
import ControllerCore
import HTTP
import HTTPTypes
import Metering
import Model
import WireProtocol

extension APIResources {
    var metrics: [Endpoint] {
        metrics("nodes/{node}", "node") { .node(try $0.path("node")) }
            + metrics("services/{service}", "service", isForCustomers: true) { .service(try $0.path("service")) }
            + [catalogue]
    }

    private var catalogue: Endpoint {
        Endpoint(
            .get, "/api/v1/metrics/catalogue", .read,
            .init(
                summary: "What is measured: names, units, and whether it is a gauge or a counter", tag: "metrics",
                isForCustomers: true, answer: Listing<MetricDescription>.self)
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

    private func metrics(
        _ path: String, _ noun: String, isForCustomers: Bool = false,
        _ subject: @escaping @Sendable (APICall) throws -> FigureSubject
    ) -> [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/\(path)/metrics", .read,
                .init(
                    summary: "Figures of a \(noun) over time", tag: "metrics", isForCustomers: isForCustomers,
                    query: [.metricNames, "from", "to", .step], answer: MetricRange.self)
            ) { call in
                try await .model(queries(call).figures(of: subject(call)) { try Self.question(call) })
            },
            Endpoint(
                .get, "/api/v1/\(path)/metrics/latest", .read,
                .init(
                    summary: "The newest figures of a \(noun)", tag: "metrics", isForCustomers: isForCustomers,
                    query: [.metricNames], answer: LatestMetrics.self)
            ) { call in
                try await .model(queries(call).newestFigures(of: subject(call)) { try Self.names(call) })
            },
            Endpoint(
                .get, "/api/v1/\(path)/metrics/names", .read,
                .init(
                    summary: "What is measured of a \(noun)", tag: "metrics", isForCustomers: isForCustomers,
                    query: ["since"], answer: MetricNames.self)
            ) { call in
                try await .model(
                    queries(call).figureNames(of: subject(call)) {
                        try call.query.time("since") ?? call.time - .seconds(24 * 3600)
                    })
            },
        ]
    }

    private static func question(_ call: APICall) throws -> FigureQuestion {
        let to = try call.query.time("to") ?? call.time
        let from = try call.query.time("from") ?? to - .seconds(3600)
        guard from < to else { throw Problem(.invalidField, "from must be before to", field: "from") }
        let length = (to - from).wholeMilliseconds
        let step = try call.query.integer("step", QueryParameter.stepRange) ?? max(1000, length / 60)
        return FigureQuestion(names: try names(call), from: from, to: to, step: step)
    }

    /// The wanted names; all without any.
    private static func names(_ call: APICall) throws(Problem) -> [String] {
        let names = call.query.all("name")
        guard names.allSatisfy({ (1...256).contains($0.unicodeScalars.count) }) else {
            throw Problem(.invalidField, "a metric's name must be 1 to 256 characters", field: "name")
        }
        return names.isEmpty ? ["*"] : names
    }
}

extension QueryParameter {
    fileprivate static let stepRange: ClosedRange<Int64> = 1000...(400 * 86_400_000)
    fileprivate static let metricNames = QueryParameter(
        "name", ["type": "string", "minLength": 1, "maxLength": 256], isRepeatable: true,
        "Only these; a * at the end of one stands for all that begin so. All without any.")
    fileprivate static let step = integer("step", stepRange, "Milliseconds between two points.")
}
