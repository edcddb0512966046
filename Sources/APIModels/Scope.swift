/// What an API key may do. `admin` holds all the others.
package enum Scope: String, Choice {
    /// Look at everything but keys and the audit log.
    case read
    /// Create, change and end services, and cancel their operations.
    case services
    /// Cordon, label, revoke and remove nodes; make and revoke join tokens.
    case nodes
    /// Run any operation of any driver on a node, as far as the node's own policy lets it; give it input, cancel it, and
    /// read what it says. As good as root on the nodes.
    case commands
    /// Create, change and delete plans.
    case plans
    /// Everything, keys and the audit log included.
    case admin
}

extension Set where Element == Scope {
    /// Whether a key with these scopes may do what asks for `needed`. Any scope lets its holder look.
    package func permits(_ needed: Scope) -> Bool {
        contains(.admin) || contains(needed) || (needed == .read && !isEmpty)
    }
}
