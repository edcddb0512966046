import APIModels
import HTTPTypes
import Hummingbird

extension Doors {
    /// For other programs: Prometheus, and the description of this API.
    var machines: [Endpoint] {
        [
            Endpoint(
                .get, "/metrics", .read,
                .init(
                    summary: "Counters of the controller in Prometheus text", tag: "machines",
                    mediaType: "text/plain")
            ) { _ in
                let text = try await PrometheusPage(store: store, counters: counters, history: history).text()
                return .raw(
                    Response(
                        status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
                        body: .init(Array(text.utf8))))
            },
            Endpoint(
                .get, "/openapi.json", nil,
                .init(summary: "This description", tag: "machines")
            ) { _ in .json(OpenAPI.document(of: endpoints), status: 200, location: nil) },
        ]
    }
}
