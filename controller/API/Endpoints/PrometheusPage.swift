import ControllerCore
import HTTP
import Model

/// The counters of the controller as Prometheus reads them.
struct PrometheusPage: Sendable {
    let counts: FleetCounts
    let counters: RequestCounters
    let measures: OperationMeasures
    /// That are open.
    let streams: Int

    var text: String {
        var page = ""
        Self.family("innkeeper_nodes", "gauge", "Nodes by state.", Self.sorted(counts.nodes), &page)
        Self.family(
            "innkeeper_unfinished_operations", "gauge", "Operations that have not ended, by state.",
            Self.sorted(counts.unfinished), &page)
        Self.family("innkeeper_event_streams", "gauge", "Open event streams.", [("", Double(streams))], &page)
        Self.family(
            "innkeeper_store_memory_bytes", "gauge", "Memory that the store's database engine holds.",
            [("", Double(counts.storeMemory))], &page)
        let requests = counters.all
        Self.family(
            "innkeeper_api_requests_total", "counter", "Requests by method, route and status.",
            requests.map { (Self.labels($0.series), Double($0.value.count)) }, &page)
        Self.family(
            "innkeeper_api_request_seconds_total", "counter", "Time spent on requests.",
            requests.map { (Self.labels($0.series), $0.value.seconds) }, &page)
        Self.histograms(
            "innkeeper_api_request_duration_seconds", "Time until requests were answered, by method and route.",
            counters.times.map { time in
                let labels = "method=\"\(Self.escaped(time.route.method))\",route=\"\(Self.escaped(time.route.route))\""
                return (labels, time.histogram)
            }, &page)
        let operations = measures.all
        Self.histograms(
            "innkeeper_operation_duration_seconds",
            "Time from the order of an operation to its end, by product, kind and outcome.",
            operations.filter { $0.series.step == nil }.map { (Self.labels($0.series), $0.histogram) }, &page)
        Self.histograms(
            "innkeeper_operation_step_duration_seconds",
            "Time of attempts at the steps of operations, by product, kind, step and outcome.",
            operations.filter { $0.series.step != nil }.map { (Self.labels($0.series), $0.histogram) }, &page)
        return page
    }

    private static func labels(_ series: OperationMeasures.Series) -> String {
        var labels = "product=\"\(escaped(series.product))\",kind=\"\(escaped(series.kind))\""
        if let step = series.step { labels += ",step=\"\(escaped(step))\"" }
        return labels + ",outcome=\"\(escaped(series.outcome))\""
    }

    private static func histograms(
        _ name: String, _ help: String, _ all: [(labels: String, histogram: Histogram)], _ page: inout String
    ) {
        page += "# HELP \(name) \(help)\n# TYPE \(name) histogram\n"
        for (labels, histogram) in all {
            for (bound, count) in histogram.cumulative {
                page += "\(name)_bucket{\(labels),le=\"\(bound.map(number) ?? "+Inf")\"} \(count)\n"
            }
            page += "\(name)_sum{\(labels)} \(number(histogram.seconds))\n"
            page += "\(name)_count{\(labels)} \(histogram.count)\n"
        }
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() ? "\(Int64(value))" : "\(value)"
    }

    private static func sorted(_ counts: [String: Int]) -> [(String, Double)] {
        counts.sorted { $0.key < $1.key }.map { ("state=\"\($0.key)\"", Double($0.value)) }
    }

    private static func labels(_ series: RequestCounters.Series) -> String {
        "method=\"\(escaped(series.method))\",route=\"\(escaped(series.route))\",status=\"\(series.status)\""
    }

    private static func escaped(_ text: String) -> String {
        text.map { $0 == "\\" ? "\\\\" : $0 == "\"" ? "\\\"" : $0.isNewline ? "\\n" : String($0) }.joined()
    }

    private static func family(
        _ name: String, _ type: String, _ help: String, _ samples: [(labels: String, value: Double)],
        _ page: inout String
    ) {
        page += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
        for sample in samples {
            page += name + (sample.labels.isEmpty ? "" : "{\(sample.labels)}") + " \(number(sample.value))\n"
        }
    }
}
