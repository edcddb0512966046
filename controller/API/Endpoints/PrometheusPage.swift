import ControllerCore
import HTTP

/// The counters of the controller as Prometheus reads them.
struct PrometheusPage: Sendable {
    let counts: FleetCounts
    let counters: RequestCounters
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
        return page
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
            let value = sample.value == sample.value.rounded() ? "\(Int64(sample.value))" : "\(sample.value)"
            page += name + (sample.labels.isEmpty ? "" : "{\(sample.labels)}") + " \(value)\n"
        }
    }
}
