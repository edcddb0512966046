import APIModels
import HTTP
import HTTPTypes
import Model
import Store
import Transport
import WireProtocol

extension APIResources {
    var tokens: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/tokens", .nodes,
                .init(
                    summary: "All join tokens", tag: "tokens", query: ["limit", "cursor"],
                    answer: Listing<JoinTokenView>.self)
            ) { call in
                let page = try await store.tokens(page: call.pageRequest("tokens"))
                return try .model(page.view("tokens") { JoinTokenView($0) })
            },
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
                let id = try call.path("token")
                let record = call.auditRecord("token.revoke", id)
                try await store.atomically { store throws(StoreError) in
                    if try store.revokeToken(id, at: call.time) { try store.audit(record) }
                }
                return .nothing
            },
        ]
    }

    private func makeToken(_ call: APICall) async throws -> Answer {
        let request = try call.optionalModel(JoinTokenRequest.self) ?? JoinTokenRequest()
        let labels = request.labels ?? [:]
        try Bounds.check(request.uses, 1...10_000, "uses")
        try Bounds.check(request.expiresInSeconds, 60...365 * 86400, "expires_in_seconds")
        try Bounds.check(labels: labels)
        let token = try JoinToken.make(id: Identifier.make("tok"), caPin: settings.authorityPin)
        let record = TokenRecord(
            id: token.id, secretHash: token.secretHash, labels: labels, usesLeft: request.uses ?? 1,
            expiresAt: call.time + .seconds(request.expiresInSeconds ?? 86400), createdAt: call.time,
            createdBy: call.caller.actor, approves: request.approved ?? false)
        let audit = call.auditRecord(
            "token.create", token.id,
            detail: [
                "uses": .integer(Int64(record.usesLeft)), "expires_at": .string(record.expiresAt.iso8601),
                "labels": .labels(labels), "approved": .bool(record.approves),
            ])
        try await store.atomically { store throws(StoreError) in
            try store.insertToken(record)
            try store.audit(audit)
        }
        return try .model(JoinTokenView(record, token: token.text), status: 201)
    }
}

/// Checks of single fields that no grammar of the core covers.
enum Bounds {
    static func check(_ value: Int?, _ range: ClosedRange<Int>, _ field: String) throws(Problem) {
        guard let value, !range.contains(value) else { return }
        throw Problem(
            .invalidField, "field \(field) must be from \(range.lowerBound) to \(range.upperBound)", field: field)
    }

    static func check(labels: [String: String]) throws(Problem) {
        guard labels.count <= 64 else {
            throw Problem(.invalidField, "field labels has more than 64 members", field: "labels")
        }
        for (key, value) in labels.sorted(by: { $0.key < $1.key }) {
            do {
                try Grammar.labelKey.check(key)
                try Grammar.labelValue.check(value)
            } catch {
                throw Problem(.invalidField, error.description, field: "labels.\(key.prefix(64))")
            }
        }
    }
}
