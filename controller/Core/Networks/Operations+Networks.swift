import Model
import Placement
package import Store
package import WireProtocol

extension Operations {
    /// Makes a network.
    package func createNetwork(
        name: String, spec: JSONObject, by requester: Requester
    ) async throws(CoreError) -> NetworkRecord {
        try await putNetwork(name: name, spec: spec, by: requester) { $0 == nil }
    }

    /// Makes a network, or changes one: what services hold on it must stay something that it gives.
    /// - Parameter isExpected: asked for the network in the moment of the change, nil where there is none; false refuses it.
    package func putNetwork(
        name: String, spec: JSONObject, by requester: Requester,
        ifSo isExpected: @escaping @Sendable (NetworkRecord?) -> Bool = { _ in true }
    ) async throws(CoreError) -> NetworkRecord {
        try requester.requireFleet()
        guard Grammar.planName.accepts(name) else {
            throw .invalid(field: "name", problem: "must be \(Grammar.planName.expectation)")
        }
        let network = try Network(name: name, json: spec)
        let now = now
        return try await record { store throws(StoreError) in
            let present = try store.network(name)
            guard isExpected(present) else {
                return .failure(present == nil ? .notAsExpected("network \(name)") : Self.isThere(name))
            }
            switch try store.placed(network, over: present) {
            case .failure(let error): return .failure(error)
            case .success(let network):
                let kept = try store.putNetwork(name, spec: network.json, at: now)
                guard kept.spec != present?.spec else { return .success(kept) }
                try store.audit(
                    present == nil ? "network.create" : "network.update", name, by: requester, at: now,
                    detail: ["changed": .changes(present?.spec ?? [:], kept.spec)])
                return .success(kept)
            }
        }
    }

    private static func isThere(_ name: String) -> CoreError { .conflict("there is a network \(name) already") }

    /// Removes a network on which no service holds an address.
    package func removeNetwork(name: String, by requester: Requester) async throws(CoreError) {
        try requester.requireFleet()
        let now = now
        try await record { store throws(StoreError) -> Result<Void, CoreError> in
            guard try store.network(name) != nil else { return .failure(.notFound(kind: "network", id: name)) }
            if let service = try store.holders(network: name, limit: 1).first?.service {
                return .failure(
                    .notAllowedInState(
                        resource: "network \(name)", state: "in use",
                        reason: "service \(service) holds an address there"))
            }
            try store.removeNetwork(name)
            try store.audit("network.delete", name, by: requester, at: now)
            return .success(())
        }
    }
}

extension Store {
    /// The network with its nodes by id, held against the other networks and what is held on it.
    fileprivate func placed(
        _ wanted: Network, over present: NetworkRecord?
    ) throws(StoreError) -> Result<Network, CoreError> {
        var network = wanted
        for (index, name) in wanted.nodes.enumerated() {
            var node = try node(name)
            if node == nil { node = try self.node(named: name) }
            guard let node else {
                return .failure(.invalid(field: "spec.nodes[\(index)]", problem: "names no node: \(name.prefix(100))"))
            }
            network.nodes[index] = node.id
        }
        for record in try networks() where record.name != wanted.name {
            guard let overlap = network.overlap(with: try Network(record)) else { continue }
            return .failure(
                .conflict("\(overlap.mine) overlaps \(overlap.theirs) of network \(record.name)"))
        }
        if let present, let problem = try obstacle(to: network, from: Network(present)) { return .failure(problem) }
        return .success(network)
    }

    /// Why a network in use cannot become another one; nil when it can.
    private func obstacle(to network: Network, from present: Network) throws(StoreError) -> CoreError? {
        var after: AllocationRecord?
        var isFirst = true
        while true {
            let held = try holders(network: network.name, after: after, limit: 1000)
            if isFirst, !held.isEmpty, network.kind != present.kind || network.isPerNode != present.isPerNode {
                return .conflict("network \(network.name) is in use: its kind and per_node cannot change")
            }
            isFirst = false
            if let stray = held.first(where: { IPAddress($0.value).map(network.gives) != true }) {
                return .conflict("service \(stray.service) holds \(stray.value), which the network would not give")
            }
            guard held.count == 1000 else { return nil }
            after = held.last
        }
    }
}

extension Network {
    /// Of a row, which this program has checked before.
    init(_ record: NetworkRecord) throws(StoreError) {
        do throws(CoreError) { try self.init(name: record.name, json: record.spec) } catch {
            throw .corrupt("network \(record.name): \(error)")
        }
    }
}
