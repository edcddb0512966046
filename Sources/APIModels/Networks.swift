package import Model

/// A network that services are put on.
package struct NetworkView: Codable, Sendable {
    package var name: String
    package var spec: NetworkBody
    /// Addresses that services hold now.
    package var held: Int
    /// What people call the nodes of `spec`, in their order; of one that has been removed its id.
    package var nodeNames: [String]?
    package var createdAt: Timestamp
    package var changedAt: Timestamp

    package init(name: String, spec: NetworkBody, held: Int, createdAt: Timestamp, changedAt: Timestamp) {
        self.name = name
        self.spec = spec
        self.held = held
        self.createdAt = createdAt
        self.changedAt = changedAt
    }
}

/// `POST /api/v1/networks`; `PUT /api/v1/networks/{name}` takes the spec alone.
package struct NetworkRequest: Codable, Sendable {
    package var name: String
    package var spec: NetworkBody

    package init(name: String, spec: NetworkBody) {
        self.name = name
        self.spec = spec
    }
}

/// What a network is, where it is, and what is given out there.
package struct NetworkBody: Codable, Sendable, Hashable {
    /// A bridge of a Proxmox node, or a network of a Docker engine.
    package enum Kind: String, Choice { case bridge, docker }
    package var kind: Kind
    /// What nodes call it: `vmbr0`, the name of a Docker network.
    package var interface: String
    package var vlan: Int64?
    /// Bytes.
    package var mtu: Int64?
    /// None: somebody else gives out the addresses there.
    package var subnets: [SubnetBody]?
    package var resolvers: [String]?
    /// The first three bytes of the Ethernet addresses of guests; `02:69:6e` by default.
    package var macPrefix: String?
    /// Nodes that have it, by id or name.
    package var nodes: [String]?
    /// Nodes that carry all of these have it too. With neither, every node does.
    package var nodeLabels: [String: String]?
    /// Each node has one of its own by this name; addresses need to be unique on a node only.
    package var perNode: Bool?

    package init(kind: Kind, interface: String) {
        self.kind = kind
        self.interface = interface
    }
}

/// The addresses of one prefix.
package struct SubnetBody: Codable, Sendable, Hashable {
    /// `192.0.2.0/24`, `2001:db8::/64`.
    package var prefix: String
    package var gateway: String?
    /// What is given out: `192.0.2.10-192.0.2.200`, one address, or a smaller prefix. The whole prefix by default, never the
    /// gateway or an address that no host may have.
    package var ranges: [String]?
    /// What nobody gets, written likewise.
    package var exclude: [String]?

    package init(prefix: String, gateway: String? = nil, ranges: [String]? = nil, exclude: [String]? = nil) {
        self.prefix = prefix
        self.gateway = gateway
        self.ranges = ranges
        self.exclude = exclude
    }
}

/// A thing of which there is one, and the service that holds or held it.
package struct AllocationView: Codable, Sendable {
    /// `ip`, `mac`, `vmid`, `port`, `subdomain`, `dataset`, `container`.
    package var kind: String
    /// Where the value is unique: a node's id, `cluster/NAME`, `network/NAME`, empty for everywhere.
    package var scope: String
    package var value: String
    /// What it is for, where a service has several of a kind.
    package var slot: String?
    package var node: String?
    /// What people call the node; nil when it has been removed.
    package var nodeName: String?
    package var service: String
    /// The operation that took it.
    package var operation: String?
    package var since: Timestamp
    /// Nil while it is held.
    package var until: Timestamp?

    package init(
        kind: String, scope: String, value: String, slot: String?, node: String?, service: String, operation: String?,
        since: Timestamp, until: Timestamp?
    ) {
        (self.kind, self.scope, self.value, self.slot, self.node) = (kind, scope, value, slot, node)
        (self.service, self.operation, self.since, self.until) = (service, operation, since, until)
    }
}

/// A value that no service gets.
package struct WithheldView: Codable, Sendable {
    package var id: String
    package var kind: String
    package var scope: String
    package var value: String
    /// `reserved` by somebody, `foreign` (a tool has said that somebody else has it), `resting` since a service gave it back.
    package var reason: String
    package var note: String?
    package var since: Timestamp
    /// When it may be given out again; nil for never by itself.
    package var until: Timestamp?

    package init(
        id: String, kind: String, scope: String, value: String, reason: String, note: String?, since: Timestamp,
        until: Timestamp?
    ) {
        (self.id, self.kind, self.scope, self.value) = (id, kind, scope, value)
        (self.reason, self.note, self.since, self.until) = (reason, note, since, until)
    }
}

/// `POST /api/v1/withheld-values`: no service is to get this.
package struct WithholdRequest: Codable, Sendable {
    package var kind: String
    /// Empty, or absent, for everywhere.
    package var scope: String?
    package var value: String
    package var note: String?

    package init(kind: String, scope: String?, value: String, note: String?) {
        (self.kind, self.scope, self.value, self.note) = (kind, scope, value, note)
    }
}
