package import APIModels

/// Who asks: the API key that the request carried, and where it came from.
package struct Caller: Sendable, Hashable {
    /// The key's id.
    package var key: String
    package var name: String
    package var scopes: Set<Scope>
    /// Address of the peer.
    package var remote: String?

    /// How the audit log names it.
    package var actor: String { "key:\(key)" }

    package init(key: String, name: String, scopes: Set<Scope>, remote: String? = nil) {
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
}
