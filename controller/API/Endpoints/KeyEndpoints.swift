import APIModels
import ControllerCore
import HTTP
import HTTPTypes

extension APIResources {
    var keys: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/keys", .admin,
                .init(
                    summary: "All API keys, without their secrets", tag: "keys", query: ["limit", "cursor"],
                    answer: Listing<APIKey>.self)
            ) { call in try await call.page("keys") { try await queries(call).keys($0) } },
            Endpoint(
                .post, "/api/v1/keys", .admin,
                .init(
                    summary: "Make an API key; its text is in this answer only", tag: "keys",
                    body: APIKeyRequest.self, answer: APIKey.self, status: 201)
            ) { call in try await makeKey(call) },
            Endpoint(
                .delete, "/api/v1/keys/{key}", .admin,
                .init(summary: "Refuse an API key from now on", tag: "keys", status: 204)
            ) { call in
                try await operations.revokeKey(call.path("key"), by: call.requester)
                return .nothing
            },
        ]
    }

    private func makeKey(_ call: APICall) async throws -> Answer {
        let request = try call.model(APIKeyRequest.self)
        let key = try await operations.createKey(
            KeyRequest(
                name: request.name, scopes: Set(request.scopes), customer: request.customer,
                lifetime: request.expiresInSeconds.map { .seconds($0) }), by: call.requester)
        return try .model(key, status: 201)
    }
}
