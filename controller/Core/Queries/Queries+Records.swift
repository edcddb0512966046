package import APIModels
import Model
import Store
import WireProtocol

/// Which events of nodes are wanted; nil means any.
package struct EventQuestion: Sendable {
    /// Id or name.
    package var node: String?
    /// Id or external id.
    package var service: String?
    package var kind: String?
    package var resource: String?

    package init() {}
}

extension Queries {
    /// What nodes saw, newest first; a customer sees what was his at that time.
    package func nodeEvents(
        _ question: EventQuestion, _ part: ListPart
    ) async throws(CoreError) -> Listing<NodeEventView> {
        let (node, service) = (try await nodeFilter(question.node), try await serviceFilter(question.service))
        let customer = viewer.customer
        let page = try await read { store throws(StoreError) in
            var resources: [String]?
            if let service { resources = try Set(store.placements(service: service).map(\.subject)).sorted() }
            return try store.events(
                node: node, resource: question.resource, kind: question.kind, resources: resources,
                customer: customer, page: part.request(.descending))
        }
        return try await told(page.listing { NodeEventView($0) })
    }

    /// What the stream of a gap can be.
    package static var gapStreams: [String] { IntakeStream.allCases.map(\.rawValue) }

    /// Data of nodes that never came, newest first.
    package func gaps(node: String?, stream: String?, _ part: ListPart) async throws(CoreError) -> Listing<GapView> {
        try viewer.requireFleet()
        let node = try await nodeFilter(node)
        let page = try await readFleet { store throws(StoreError) in
            try store.gaps(node: node, kind: stream, page: part.request(.descending))
        }
        return try await named(page.listing { GapView($0) })
    }

    /// What drivers have on nodes; the whole state of a resource only when it is named.
    package func inventory(
        node: String?, driver: String?, resource: String?, _ part: ListPart
    ) async throws(CoreError) -> Listing<InventoryItemView> {
        try viewer.requireFleet()
        let filter = InventoryFilter(node: try await nodeFilter(node), driver: driver, resource: resource)
        let page = try await readFleet { store throws(StoreError) in
            try store.inventory(filter, page: part.request())
        }
        let isWhole = filter.resource != nil && filter.node != nil
        return try await named(page.listing { InventoryItemView($0, isWhole: isWhole) })
    }
}
