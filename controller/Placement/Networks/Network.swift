package import Model

/// A network that guests and containers are put on, and the addresses that we give out there.
package struct Network: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A bridge of a Proxmox node.
        case bridge
        /// A network of a Docker engine.
        case docker
    }

    package var name: String
    package var kind: Kind
    /// What nodes call it: `vmbr0`, the name of a Docker network.
    package var interface: String
    /// 1 to 4094.
    package var vlan: Int64?
    /// Bytes.
    package var mtu: Int64?
    /// None: somebody else gives out the addresses there.
    package var subnets: [Subnet]
    package var resolvers: [IPAddress]
    package var macPrefix: MACPrefix
    /// Ids of the nodes that have it.
    package var nodes: [String]
    /// Nodes that carry all of these have it too. With neither, every node does.
    package var labels: [String: String]
    /// Each node has one of its own by this name, behind which the same addresses are others' neighbours.
    package var isPerNode: Bool

    package init(
        name: String, kind: Kind, interface: String, vlan: Int64? = nil, mtu: Int64? = nil, subnets: [Subnet] = [],
        resolvers: [IPAddress] = [], macPrefix: MACPrefix = .standard, nodes: [String] = [],
        labels: [String: String] = [:], isPerNode: Bool = false
    ) {
        (self.name, self.kind, self.interface, self.vlan, self.mtu) = (name, kind, interface, vlan, mtu)
        (self.subnets, self.resolvers, self.macPrefix) = (subnets, resolvers, macPrefix)
        (self.nodes, self.labels, self.isPerNode) = (nodes, labels, isPerNode)
    }

    /// Whether a node has it.
    package func isOn(_ node: String, labels present: [String: String]) -> Bool {
        if nodes.contains(node) { return true }
        guard !labels.isEmpty else { return nodes.isEmpty }
        return labels.allSatisfy { present[$0.key] == $0.value }
    }

    /// Whether the node has it, and tells of no lack of the bridge.
    func isThere(on node: Candidate) -> Bool {
        let lacksBridge = kind == .bridge && node.interfaces.map { !$0.contains(interface) } == true
        return isOn(node.id, labels: node.labels) && !lacksBridge
    }

    package func subnet(of address: IPAddress) -> Subnet? { subnets.first { $0.prefix.range.contains(address) } }

    /// Whether the address is one that we may give out here.
    package func gives(_ address: IPAddress) -> Bool {
        subnets.contains { $0.prefix.network.family == address.family && $0.space.contains(address.number) }
    }
}

/// The addresses of one prefix of a network.
package struct Subnet: Sendable, Hashable {
    package var prefix: IPPrefix
    package var gateway: IPAddress?
    /// What we give out; the whole prefix where it is empty.
    package var ranges: [IPRange]
    /// What nobody gets.
    package var excluded: [IPRange]

    package init(prefix: IPPrefix, gateway: IPAddress? = nil, ranges: [IPRange] = [], excluded: [IPRange] = []) {
        (self.prefix, self.gateway, self.ranges, self.excluded) = (prefix, gateway, ranges, excluded)
    }

    /// Never the gateway, nor an address that no host may have.
    package var space: NumberSpace {
        let hosts = (gateway.map { [$0] } ?? []) + prefix.special
        return NumberSpace(
            (ranges.isEmpty ? [prefix.range] : ranges).map(\.numbers),
            without: excluded.map(\.numbers) + hosts.map { $0.number...$0.number })
    }

    /// Addresses to try, each once, those behind `last` first.
    package func addresses(after last: IPAddress? = nil) -> some Sequence<IPAddress> {
        let family = prefix.network.family
        return space.numbers(after: last.flatMap { $0.family == family ? $0.number : nil }).lazy
            .compactMap { IPAddress(family, $0) }
    }
}
