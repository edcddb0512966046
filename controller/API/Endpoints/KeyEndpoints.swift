import APIModels
import HTTP
import HTTPTypes
import Model
import Store
import WireProtocol

extension APIResources {
    var keys: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/keys", .admin,
                .init(
                    summary: "All API keys, without their secrets", tag: "keys", query: ["limit", "cursor"],
                    answer: Listing<APIKey>.self)
            ) { call in
                let page = try await store.keys(page: call.pageRequest("keys"))
                return try .model(page.view("keys") { APIKey($0) })
            },
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
                let id = try call.path("key")
                // Whoever saws off the branch that he sits on could not undo it.
                guard id != call.caller.key else {
                    throw Problem(.conflict, "a key cannot revoke itself; use another one")
                }
                var record = call.auditRecord("key.revoke", id)
                record.detail["name"] = try await store.key(id).map { .string($0.name) }
                let row = record
                try await store.atomically { store throws(StoreError) in
                    if try store.revokeKey(id, at: call.time) { try store.audit(row) }
                }
                return .nothing
            },
        ]
    }

    private func makeKey(_ call: APICall) async throws -> Answer {
        let request = try call.model(APIKeyRequest.self)
        guard !request.scopes.isEmpty else {
            throw Problem(.invalidField, "field scopes must name at least one scope", field: "scopes")
        }
        try Bounds.check(request.expiresInSeconds, 60...100 * 365 * 86400, "expires_in_seconds")
        let key = KeyText.make()
        let scopes = Set(request.scopes).map(\.rawValue).sorted()
        let record = key.record(
            name: request.name, scopes: scopes, createdAt: call.time,
            expiresAt: request.expiresInSeconds.map { call.time + .seconds($0) })
        var detail: JSONObject = ["name": .string(record.name), "scopes": .array(scopes.map { .string($0) })]
        detail["expires_at"] = record.expiresAt.map { .string($0.iso8601) }
        let audit = call.auditRecord("key.create", key.id, detail: detail)
        try await store.atomically { store throws(StoreError) in
            try store.insertKey(record)
            try store.audit(audit)
        }
        return try .model(APIKey(record, secret: key.text), status: 201)
    }
}
