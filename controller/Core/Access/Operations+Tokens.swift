package import APIModels
import Model
import Store
import Transport
import WireProtocol

/// A join token that somebody wants.
package struct TokenRequest: Sendable {
    /// Given to the nodes that join.
    package var labels: [String: String] = [:]
    /// 1...10,000.
    package var uses = 1
    /// A minute to a year.
    package var lifetime = Duration.seconds(86400)
    /// Whoever joins with it is trusted at once.
    package var approves = false

    package init() {}
}

extension Operations {
    /// Makes a join token. Its text is in the answer, and nowhere else.
    /// - Parameter authorityPin: of the authority that nodes shall trust.
    package func createToken(
        _ request: TokenRequest, authorityPin: String, by requester: Requester
    ) async throws(CoreError) -> JoinTokenView {
        try requester.requireFleet()
        try Bounds.check(request.uses, 1...10_000, "uses")
        try Bounds.check(request.lifetime, 60...365 * 86400, "expires_in_seconds")
        try checkLabels(request.labels, field: "labels")
        let now = now
        guard let token = try? JoinToken.make(id: Identifier.make("tok"), caPin: authorityPin) else {
            throw .store(.failed("the pin of the authority is not one that a join token can carry"))
        }
        let made = TokenRecord(
            id: token.id, secretHash: token.secretHash, labels: request.labels, usesLeft: request.uses,
            expiresAt: now + request.lifetime, createdAt: now, createdBy: requester.name,
            approves: request.approves)
        let detail: JSONObject = [
            "uses": .integer(Int64(made.usesLeft)), "expires_at": .string(made.expiresAt.iso8601),
            "labels": .labels(made.labels), "approved": .bool(made.approves),
        ]
        try await record { store throws(StoreError) -> Result<Void, CoreError> in
            try store.insertToken(made)
            try store.audit("token.create", made.id, by: requester, at: now, detail: detail)
            return .success(())
        }
        return JoinTokenView(made, token: token.text)
    }

    /// Refuses a join token from now on. Again, it changes nothing.
    package func revokeToken(_ id: String, by requester: Requester) async throws(CoreError) {
        try requester.requireFleet()
        let now = now
        try await record { store throws(StoreError) -> Result<Void, CoreError> in
            if try store.revokeToken(id, at: now) { try store.audit("token.revoke", id, by: requester, at: now) }
            return .success(())
        }
    }
}
