package import APIModels
import Model
package import Store
import WireProtocol

extension Queries {
    /// What the state of a node can be.
    package static var nodeStates: [String] { NodeRecord.State.allCases.map(\.rawValue) }

    package func nodes(state: String?, name: String?, _ part: ListPart) async throws(CoreError) -> Listing<Node> {
        let filter = NodeFilter(state: state.flatMap { NodeRecord.State(rawValue: $0) }, name: name)
        let page = try await readFleet { store throws(StoreError) in try store.nodes(filter, page: part.request()) }
        return page.listing { Node($0) }
    }

    /// One node, by id or name.
    package func node(named text: String) async throws(CoreError) -> Node {
        try viewer.requireFleet()
        let record = try await node(text)
        var shown = Node(record, withFacts: true)
        shown.drain = try await drain(of: record)
        return shown
    }

    /// A node as it is after a change.
    package func changed(_ node: NodeRecord, withFacts: Bool = false) throws(CoreError) -> Node {
        try viewer.requireFleet()
        return Node(node, withFacts: withFacts)
    }

    /// What the drivers of a node can do and take, as it said when it last connected.
    package func actions(ofNode text: String) async throws(CoreError) -> [ActionOffer] {
        try viewer.requireFleet()
        let id = try await node(text).id
        return ActionOffer.all(in: try await readFleet { store throws(StoreError) in try store.catalogue(of: id) })
    }

    /// How many nodes and operations there are, by state.
    package func counts() async throws(CoreError) -> FleetCounts {
        let (nodes, unfinished) = try await readFleet { store throws(StoreError) in
            (try store.allNodes(), try store.unfinishedOperations())
        }
        var counts = FleetCounts()
        for state in NodeRecord.State.allCases { counts.nodes[state.rawValue] = 0 }
        for node in nodes where node.revokedAt == nil { counts.nodes[node.state.rawValue, default: 0] += 1 }
        for operation in unfinished { counts.unfinished[operation.state.rawValue, default: 0] += 1 }
        return counts
    }
}

/// Figures of the controller's own.
package struct FleetCounts: Sendable, Hashable {
    /// By state, without those that are revoked.
    package var nodes: [String: Int] = [:]
    /// Operations that have not ended, by state.
    package var unfinished = ["queued": 0, "running": 0]
    /// Bytes that the store's database engine holds.
    package let storeMemory = Int(Store.memoryInUse)
}
