package import APIModels

/// Who asks: the API key that the request carried, and where it came from.
package struct Caller: Sendable, Hashable {
    /// The key's id.
    package var key: String
    package var name: String
    package var scopes: Set<Scope>
    /// The one customer whose things the key opens; nil for all.
    package var customer: String?
    /// Address of the peer.
    package var remote: String?

    /// How the audit log names it.
    package var actor: String { "key:\(key)" }

    package init(
        key: String, name: String, scopes: Set<Scope>, customer: String? = nil, remote: String? = nil
    ) {
        self.customer = customer
        self.key = key
        self.name = name
        self.scopes = scopes
        self.remote = remote
    }

    /// Refuses with the name of the scope that is missing.
    package func require(_ scope: Scope) throws(Problem) {
        guard scopes.permits(scope) else {
            throw Problem(.forbidden, "the key \(key) (\(name)) lacks the scope \(scope.rawValue)")
        }
    }

    /// Refuses who may not use an endpoint, whatever it would find.
    func require(_ scope: Scope, of endpoint: Endpoint) throws(Problem) {
        if !endpoint.description.otherScopes.contains(where: scopes.permits) { try require(scope) }
        guard customer == nil || endpoint.description.isForCustomers else {
            throw Problem(.forbidden, "the key \(key) (\(name)) is bound to one customer, and this belongs to none")
        }
    }
}
