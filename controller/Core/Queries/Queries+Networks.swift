package import APIModels
import Model
package import Store

/// Which allocations are wanted; nil means any.
package struct AllocationQuestion: Sendable {
    package var kind: String?
    package var scope: String?
    package var value: String?
    /// Id or external id.
    package var service: String?
    /// Id or name.
    package var node: String?
    /// Also what was given back since.
    package var withHistory = false

    package init() {}
}

extension Queries {
    /// All networks, by name.
    package func networks(_ part: ListPart) async throws(CoreError) -> Listing<NetworkView> {
        let (page, held) = try await readFleet { store throws(StoreError) in
            (try store.networks(page: part.request()), try store.heldAddresses())
        }
        return try await named(
            try page.listing { record throws(CoreError) in try NetworkView(record, held: held[record.name] ?? 0) })
    }

    package func network(_ name: String) async throws(CoreError) -> NetworkView {
        let found = try await readFleet { store throws(StoreError) in try store.network(name) }
        guard let found else { throw .notFound(kind: "network", id: name) }
        return try await changed(found)
    }

    /// A network as it is after a change.
    package func changed(_ network: NetworkRecord) async throws(CoreError) -> NetworkView {
        let held = try await readFleet { store throws(StoreError) in try store.heldAddresses() }
        return try await named(NetworkView(network, held: held[network.name] ?? 0))
    }

    /// What services hold of things of which there is one.
    package func allocations(
        _ question: AllocationQuestion, _ part: ListPart
    ) async throws(CoreError) -> Listing<AllocationView> {
        let filter = AllocationFilter(
            kind: question.kind, scope: question.scope, value: question.value,
            service: try await serviceFilter(question.service), node: try await nodeFilter(question.node),
            withHistory: question.withHistory, customer: viewer.customer)
        let page = try await read { store throws(StoreError) in try store.allocations(filter, page: part.request()) }
        return try await told(page.listing { AllocationView($0) })
    }

    /// Values that no service gets.
    package func withheldValues(
        kind: String?, scope: String?, _ part: ListPart
    ) async throws(CoreError) -> Listing<WithheldView> {
        let page = try await readFleet { store throws(StoreError) in
            try store.withheldValues(kind: kind, scope: scope, page: part.request())
        }
        return page.listing { WithheldView($0) }
    }

    /// A withheld value as it is after a change.
    package func changed(_ value: WithheldValue) throws(CoreError) -> WithheldView {
        try viewer.requireFleet()
        return WithheldView(value)
    }
}
