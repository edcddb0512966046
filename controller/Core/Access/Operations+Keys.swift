package import APIModels
import Model
import Store
import WireProtocol

/// An API key that somebody wants.
package struct KeyRequest: Sendable {
    package var name: String
    package var scopes: Set<Scope>
    /// The one customer whose things it opens; nil for all.
    package var customer: String?
    /// A minute to a hundred years; nil for ever.
    package var lifetime: Duration?

    package init(name: String, scopes: Set<Scope>, customer: String? = nil, lifetime: Duration? = nil) {
        (self.name, self.scopes, self.customer, self.lifetime) = (name, scopes, customer, lifetime)
    }

    fileprivate func check() throws(CoreError) {
        guard !scopes.isEmpty else { throw .invalid(field: "scopes", problem: "must name at least one scope") }
        try Bounds.check(lifetime, 60...100 * 365 * 86400, "expires_in_seconds")
        guard let customer else { return }
        guard Grammar.externalID.accepts(customer) else {
            throw .invalid(field: "customer", problem: "must be \(Grammar.externalID.expectation)")
        }
        let others = scopes.subtracting(Viewer.customerScopes).map(\.rawValue).sorted()
        guard others.isEmpty else {
            let known = Viewer.customerScopes.map(\.rawValue).sorted().joined(separator: " and ")
            throw .invalid(
                field: "scopes",
                problem: "of a key that is bound to a customer can be \(known), not \(others.joined(separator: ", "))")
        }
    }
}

extension Operations {
    /// Makes an API key. Its text is in the answer, and nowhere else.
    package func createKey(_ request: KeyRequest, by requester: Requester) async throws(CoreError) -> APIKey {
        try requester.requireFleet()
        try request.check()
        let (key, now) = (KeyText.make(), now)
        let scopes = request.scopes.map(\.rawValue).sorted()
        let made = key.record(
            name: request.name, scopes: scopes, customer: request.customer, createdAt: now,
            expiresAt: request.lifetime.map { now + $0 })
        var detail: JSONObject = ["name": .string(made.name), "scopes": .array(scopes.map { .string($0) })]
        detail["customer"] = made.customer.map { .string($0) }
        detail["expires_at"] = made.expiresAt.map { .string($0.iso8601) }
        let about = detail
        try await record { store throws(StoreError) -> Result<Void, CoreError> in
            try store.insertKey(made)
            try store.audit("key.create", made.id, by: requester, at: now, detail: about)
            return .success(())
        }
        return APIKey(made, secret: key.text)
    }

    /// Refuses a key from now on. Again, it changes nothing.
    package func revokeKey(_ id: String, by requester: Requester) async throws(CoreError) {
        try requester.requireFleet()
        // Whoever saws off the branch that he sits on could not undo it.
        guard requester.name != "key:\(id)" else { throw .conflict("a key cannot revoke itself; use another one") }
        let now = now
        try await record { store throws(StoreError) -> Result<Void, CoreError> in
            let name = try store.key(id)?.name
            if try store.revokeKey(id, at: now) {
                var detail: JSONObject = [:]
                detail["name"] = name.map { .string($0) }
                try store.audit("key.revoke", id, by: requester, at: now, detail: detail)
            }
            return .success(())
        }
    }
}

/// Checks of fields that no grammar covers.
enum Bounds {
    static func check(_ value: Int?, _ range: ClosedRange<Int>, _ field: String) throws(CoreError) {
        guard let value, !range.contains(value) else { return }
        throw .invalid(field: field, problem: "must be from \(range.lowerBound) to \(range.upperBound)")
    }

    /// - Parameter range: of seconds.
    static func check(_ value: Duration?, _ range: ClosedRange<Int>, _ field: String) throws(CoreError) {
        try check(value.map { Int($0.components.seconds) }, range, field)
    }
}
