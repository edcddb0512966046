import APIModels
import ControllerCore
import HTTP
import HTTPTypes

extension APIResources {
    /// For load balancers and watchdogs; no key.
    var health: [Endpoint] {
        [
            Endpoint(
                .get, "/healthz", nil,
                .init(summary: "Whether the process answers", tag: "health", answer: Health.self)
            ) { _ in try .model(Health(status: "ok")) },
            Endpoint(
                .get, "/readyz", nil,
                .init(summary: "Whether requests can be served", tag: "health", answer: Health.self)
            ) { _ in
                guard settings.isReady() else { throw Problem(.unavailable, "the controller is starting") }
                try await operations.isReady()
                return try .model(Health(status: "ok"))
            },
        ]
    }
}
