import APIModels
import ControllerCore
import HTTP
import HTTPTypes

extension APIResources {
    var tokens: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/tokens", .nodes,
                .init(
                    summary: "All join tokens", tag: "tokens", query: ["limit", "cursor"],
                    answer: Listing<JoinTokenView>.self)
            ) { call in try await call.page("tokens") { try await queries(call).tokens($0) } },
            Endpoint(
                .post, "/api/v1/tokens", .nodes,
                .init(
                    summary: "Make a join token; its text is in this answer only", tag: "tokens",
                    body: JoinTokenRequest.self, isBodyOptional: true, answer: JoinTokenView.self, status: 201)
            ) { call in try await makeToken(call) },
            Endpoint(
                .delete, "/api/v1/tokens/{token}", .nodes,
                .init(summary: "Refuse a join token from now on", tag: "tokens", status: 204)
            ) { call in
                try await operations.revokeToken(call.path("token"), by: call.requester)
                return .nothing
            },
        ]
    }

    private func makeToken(_ call: APICall) async throws -> Answer {
        let wanted = try call.optionalModel(JoinTokenRequest.self) ?? JoinTokenRequest()
        var request = TokenRequest()
        request.labels = wanted.labels ?? [:]
        request.uses = wanted.uses ?? request.uses
        request.lifetime = wanted.expiresInSeconds.map { .seconds($0) } ?? request.lifetime
        request.approves = wanted.approved ?? false
        let token = try await operations.createToken(
            request, authorityPin: settings.authorityPin, by: call.requester)
        return try .model(token, status: 201)
    }
}
