import APIModels
import Store

/// A view that names nodes by their ids, and goes out with what people call them.
protocol OnNodes: Sendable {
    var nodeIDs: [String] { get }
    /// - Parameter names: by id; of a node that has been removed there is none.
    mutating func name(_ names: [String: String])
}

extension Queries {
    /// The view as the viewer gets it: with the names of its nodes, however many they are in one look at the store, or for a
    /// customer with what is his.
    func told<View: OnNodes & ForCustomers>(_ view: View) async throws(CoreError) -> View {
        guard viewer.customer == nil else { return viewer.shown(view) }
        return try await named(view)
    }

    /// The same for what no customer gets.
    func named<View: OnNodes>(_ view: View) async throws(CoreError) -> View {
        let ids = view.nodeIDs
        let names = try await readFleet { store throws(StoreError) in try store.nodeNames(ids) }
        var view = view
        view.name(names)
        return view
    }
}

extension Listing: OnNodes where Item: OnNodes {
    var nodeIDs: [String] { items.flatMap(\.nodeIDs) }

    mutating func name(_ names: [String: String]) {
        for index in items.indices { items[index].name(names) }
    }
}

extension Service: OnNodes {
    var nodeIDs: [String] { [node, operation?.node].compactMap(\.self) }

    mutating func name(_ names: [String: String]) {
        nodeName = node.flatMap { names[$0] }
        operation?.name(names)
    }
}

extension APIModels.Operation: OnNodes {
    var nodeIDs: [String] { [node].compactMap(\.self) }
    mutating func name(_ names: [String: String]) { nodeName = node.flatMap { names[$0] } }
}

extension AcceptedOperation: OnNodes {
    var nodeIDs: [String] { operation.nodeIDs + (service?.nodeIDs ?? []) }

    mutating func name(_ names: [String: String]) {
        operation.name(names)
        service?.name(names)
    }
}

extension FindingView: OnNodes {
    var nodeIDs: [String] { [node].compactMap(\.self) }
    mutating func name(_ names: [String: String]) { nodeName = node.flatMap { names[$0] } }
}

extension NodeEventView: OnNodes {
    var nodeIDs: [String] { [node].compactMap(\.self) }
    mutating func name(_ names: [String: String]) { nodeName = node.flatMap { names[$0] } }
}

extension GapView: OnNodes {
    var nodeIDs: [String] { [node] }
    mutating func name(_ names: [String: String]) { nodeName = names[node] }
}

extension InventoryItemView: OnNodes {
    var nodeIDs: [String] { [node] }
    mutating func name(_ names: [String: String]) { nodeName = names[node] }
}

extension AllocationView: OnNodes {
    var nodeIDs: [String] { [node].compactMap(\.self) }
    mutating func name(_ names: [String: String]) { nodeName = node.flatMap { names[$0] } }
}

extension NetworkView: OnNodes {
    var nodeIDs: [String] { spec.nodes ?? [] }
    mutating func name(_ names: [String: String]) { nodeNames = spec.nodes?.map { names[$0] ?? $0 } }
}
