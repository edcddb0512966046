/// Where a value must be unique.
package enum AllocationScope: Sendable, Hashable {
    case world
    case node(String)
    /// By the name that its nodes call it.
    case cluster(String)
    case network(String)
    /// A network of which each node has one.
    case nodeNetwork(String, node: String)

    /// As it is kept.
    package var text: String {
        switch self {
        case .world: ""
        case .node(let id): id
        case .cluster(let name): "cluster/\(name)"
        case .network(let name): "network/\(name)"
        case .nodeNetwork(let name, let node): "network/\(name)/\(node)"
        }
    }
}

/// Whose inventory shows that a value is taken.
package enum SightingScope: Sendable, Hashable {
    /// What others have does not matter.
    case nowhere
    case node(String)
    /// All nodes of the cluster.
    case cluster(String)
    case everywhere
}

/// A request for one value out of several.
package struct AllocationRequest: Sendable, Hashable {
    package var kind: String
    /// Where the value must be unique: the text of an `AllocationScope`, or a name of the caller's own.
    package var scope: String
    /// In order of preference.
    package var candidates: [String]
    package var node: String?
    package var service: String
    package var operation: String?
    /// What it is for, where a service has several of a kind: `public`, `2`.
    package var slot: String
    /// Under which the thing of this name is going to be made.
    package var nonce: String?
    /// Values that nodes have told of there, and that are not this service's, are passed over.
    package var sightings = SightingScope.nowhere

    package init(
        kind: String, scope: String = "", candidates: [String] = [], node: String? = nil, service: String,
        operation: String? = nil, slot: String = "", nonce: String? = nil
    ) {
        self.nonce = nonce
        self.kind = kind
        self.scope = scope
        self.slot = slot
        self.candidates = candidates
        self.node = node
        self.service = service
        self.operation = operation
    }
}

/// From what values are taken, and how long they rest after a service has given them back: whoever had learnt them, a
/// resolver or a neighbour, must have forgotten them before another service gets them.
package struct AllocationRules: Sendable, Hashable {
    package var vmids: ClosedRange<Int64> = 100...999_999_999
    package var addressRest = Duration.seconds(86_400)
    package var vmidRest = Duration.seconds(86_400)
    package var subdomainRest = Duration.seconds(30 * 86_400)

    package static let standard = AllocationRules()

    package init() {}

    /// Names that hold a service's id are no other's, and a port is free once nobody listens.
    package func rest(of kind: String) -> Duration {
        switch kind {
        case "ip", "mac": addressRest
        case "vmid": vmidRest
        case "subdomain": subdomainRest
        default: .zero
        }
    }
}

/// Which allocations are wanted; nil means any.
package struct AllocationFilter: Sendable, Hashable {
    package var kind: String?
    package var scope: String?
    package var value: String?
    package var service: String?
    package var node: String?
    /// Also those that were given back.
    package var withHistory: Bool
    /// Of services of this customer.
    package var customer: String?

    package init(
        kind: String? = nil, scope: String? = nil, value: String? = nil, service: String? = nil, node: String? = nil,
        withHistory: Bool = false, customer: String? = nil
    ) {
        self.customer = customer
        (self.kind, self.scope, self.value, self.service, self.node) = (kind, scope, value, service, node)
        self.withHistory = withHistory
    }
}
