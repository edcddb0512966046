import APIModels
import ControllerCore
import HTTP
import HTTPTypes
import Synchronization

/// The description, made once.
final class APIDescription: Sendable {
    private let made = Mutex<[UInt8]?>(nil)

    func bytes(_ make: () -> [UInt8]) -> [UInt8] {
        made.withLock { made in
            let bytes = made ?? make()
            made = bytes
            return bytes
        }
    }
}

extension APIResources {
    /// For other programs: Prometheus, and the description of this API.
    var machines: [Endpoint] {
        [
            Endpoint(
                .get, "/metrics", .read,
                .init(
                    summary: "Counters of the controller in Prometheus text", tag: "machines",
                    mediaType: "text/plain")
            ) { call in
                let counts = try await queries(call).counts()
                let page = PrometheusPage(
                    counts: counts, counters: counters, measures: operations.measures, streams: history.listeners)
                return .text(page.text, "text/plain; version=0.0.4; charset=utf-8")
            },
            Endpoint(
                .get, "/openapi.json", nil,
                .init(summary: "This description", tag: "machines")
            ) { _ in
                .json(
                    description.bytes { OpenAPI.document(of: endpoints, operations.catalogue.products) }, status: 200,
                    location: nil)
            },
        ]
    }
}
