package import APIModels

/// Who looks: what he may look at is decided here, and nowhere above the core.
package struct Viewer: Sendable, Hashable {
    /// As the audit log has it: `key:ID`.
    package let actor: String
    /// What he may do. One who is bound to a customer has no more than customers may have, whatever his key says.
    package let scopes: Set<Scope>
    /// The one customer whose things he sees; nil for all.
    package let customer: String?

    package init(actor: String, scopes: Set<Scope>, customer: String? = nil) {
        self.actor = actor
        self.customer = customer
        self.scopes = customer == nil ? scopes : scopes.intersection(Self.customerScopes)
    }

    /// What a key that is bound to a customer can hold: all else is about the fleet.
    package static let customerScopes: Set<Scope> = [.read, .services]

    package func require(_ scope: Scope) throws(CoreError) {
        guard scopes.permits(scope) else { throw .forbidden("\(actor) lacks the scope \(scope.rawValue)") }
    }

    /// For what belongs to no customer: nodes, networks, keys, the audit log.
    func requireFleet(_ scope: Scope = .read) throws(CoreError) {
        guard customer == nil else { throw .forbidden("\(actor) is bound to one customer, and this belongs to none") }
        try require(scope)
    }
}
