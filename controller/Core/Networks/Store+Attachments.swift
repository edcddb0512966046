package import Model
import Placement
package import Store

/// What a service's device has on a network.
package struct NetworkAttachment: Sendable, Hashable {
    package var network: String
    package var interface: String
    package var vlan: Int64?
    package var mtu: Int64?
    package var mac: String
    /// One for each subnet, with the length of its prefix: `192.0.2.10/24`.
    package var addresses: [String]
    /// Of the subnets that have one, in their order.
    package var gateways: [String]
    package var resolvers: [String]
}

/// What is taken for a service, and by which operation.
package struct Taking: Sendable, Hashable {
    package var service: String
    package var node: String
    package var operation: String?
    /// Tells the service's devices apart: `0`, `public`.
    package var slot: String

    package init(service: String, node: String, operation: String? = nil, slot: String = "") {
        (self.service, self.node, self.operation, self.slot) = (service, node, operation, slot)
    }
}

extension Store {
    /// Takes an address of each subnet and a fixed Ethernet address. What the service has for this slot already it keeps, so
    /// that a repeated step takes nothing more. Call it in the transaction that places the service.
    ///
    /// Addresses that inventory shows at somebody else's are passed over. Throws `notFound` for a network that is not there,
    /// `exhausted` when a subnet has no address left.
    package func attach(
        to name: String, _ taking: Taking, at time: Timestamp
    ) throws(StoreError) -> NetworkAttachment {
        guard let record = try network(name) else { throw .notFound(kind: "network", id: name) }
        let network = try Network(record)
        var (addresses, gateways): ([String], [String]) = ([], [])
        for (index, subnet) in network.subnets.enumerated() {
            let value = try takeAddress(of: subnet, index, on: network, taking, at: time)
            // One that was taken before the network's subnets were put in another order is of another one.
            guard let home = IPAddress(value).flatMap(network.subnet) else {
                throw .corrupt("\(value) of service \(taking.service) is no address of network \(name)")
            }
            addresses.append("\(value)/\(home.prefix.length)")
            if let gateway = home.gateway { gateways.append("\(gateway)") }
        }
        let mac = try takeMAC(on: network, taking, at: time)
        return NetworkAttachment(
            network: name, interface: network.interface, vlan: network.vlan, mtu: network.mtu, mac: mac,
            addresses: addresses, gateways: gateways, resolvers: network.resolvers.map { "\($0)" })
    }

    private func takeAddress(
        of subnet: Subnet, _ index: Int, on network: Network, _ taking: Taking, at time: Timestamp
    ) throws(StoreError) -> String {
        let scope = network.scope(on: taking.node)
        var request = AllocationRequest(
            kind: "ip", scope: scope, node: taking.node, service: taking.service, operation: taking.operation,
            slot: "\(taking.slot)#\(index)")
        request.sightings = network.isPerNode ? .node(taking.node) : .everywhere
        let last = try newestAllocation(kind: "ip", scope: scope, slot: request.slot)?.value
        let candidates = subnet.addresses(after: last.flatMap { IPAddress($0) }).lazy.map { "\($0)" }
        return try allocate(request, from: candidates, at: time).value
    }

    private func takeMAC(
        on network: Network, _ taking: Taking, at time: Timestamp
    ) throws(StoreError) -> String {
        var request = AllocationRequest(
            kind: "mac", scope: AllocationScope.world.text, node: taking.node, service: taking.service,
            operation: taking.operation, slot: "\(network.name)/\(taking.slot)")
        request.sightings = .everywhere
        let device = "\(taking.service)/\(request.slot)"
        let candidates = (0..<64).lazy.map { "\(network.macPrefix.address(for: device, attempt: $0))" }
        return try allocate(request, from: candidates, at: time).value
    }

    /// Takes a number for a guest, unique in the node's cluster. One that any node of the cluster has told of is passed over,
    /// whoever made it.
    package func takeVMID(
        _ taking: Taking, among numbers: ClosedRange<Int64> = AllocationRules.standard.vmids, at time: Timestamp
    ) throws(StoreError) -> Int64 {
        guard let node = try node(taking.node) else { throw .notFound(kind: "node", id: taking.node) }
        let cluster = node.cluster
        let scope = (cluster.map { AllocationScope.cluster($0) } ?? .node(node.id)).text
        var request = AllocationRequest(
            kind: "vmid", scope: scope, node: node.id, service: taking.service, operation: taking.operation,
            slot: taking.slot)
        request.sightings = cluster.map { .cluster($0) } ?? .node(node.id)
        let last = try newestAllocation(kind: "vmid", scope: scope)?.value
        let space = NumberSpace([UInt128(numbers.lowerBound)...UInt128(numbers.upperBound)])
        let candidates = space.numbers(after: last.flatMap { UInt128($0) }).lazy.map { "\($0)" }
        guard let vmid = Int64(try allocate(request, from: candidates, at: time).value) else {
            throw .corrupt("a vmid of service \(taking.service) is no number")
        }
        return vmid
    }
}

extension Network {
    /// Where its addresses are unique.
    fileprivate func scope(on node: String) -> String {
        (isPerNode ? AllocationScope.nodeNetwork(name, node: node) : .network(name)).text
    }
}
