import APIModels
import HTTP
import HTTPTypes
import Store
import WireProtocol

extension APIResources {
    /// What nodes have told: events, inventory, and what is missing.
    var records: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/node-events", .read,
                .init(
                    summary: "What nodes saw, newest first", tag: "records",
                    query: ["limit", "cursor", "node", "service", "kind", "resource"],
                    answer: Listing<NodeEventView>.self)
            ) { call in try await listEvents(call) },
            Endpoint(
                .get, "/api/v1/gaps", .read,
                .init(
                    summary: "Data of nodes that never came, newest first", tag: "records",
                    query: ["limit", "cursor", "node", .word("kind", IntakeStream.self)],
                    answer: Listing<GapView>.self)
            ) { call in
                let page = try await store.gaps(
                    node: nodeFilter(call), kind: try call.query.word("kind", IntakeStream.self)?.rawValue,
                    page: call.pageRequest("gaps", order: .descending))
                return try await told(page.view("gaps") { GapView($0) })
            },
            Endpoint(
                .get, "/api/v1/inventory", .read,
                .init(
                    summary: "What drivers have on nodes; the whole state of a resource only when it is named",
                    tag: "records", query: ["limit", "cursor", "node", "driver", "resource"],
                    answer: Listing<InventoryItemView>.self)
            ) { call in
                let filter = InventoryFilter(
                    node: try await nodeFilter(call), driver: call.query["driver"], resource: call.query["resource"])
                let page = try await store.inventory(filter, page: call.pageRequest("inventory"))
                let isWhole = filter.resource != nil && filter.node != nil
                return try await told(page.view("inventory") { InventoryItemView($0, isWhole: isWhole) })
            },
        ]
    }

    private func listEvents(_ call: APICall) async throws -> Answer {
        var resources: [String]?
        if let service = try await serviceFilter(call) {
            resources = try await Array(Set(store.placements(service: service).map(\.subject))).sorted()
        }
        let page = try await store.events(
            node: nodeFilter(call), resource: call.query["resource"], kind: call.query["kind"], resources: resources,
            page: call.pageRequest("node-events", order: .descending))
        return try await told(page.view("node-events") { NodeEventView($0) })
    }
}

extension GapView {
    init(_ record: GapRecord) {
        self.init(
            id: record.id, node: record.node, kind: record.kind, fromSeq: record.fromSeq, toSeq: record.toSeq,
            from: record.fromTime, to: record.toTime, reason: record.reason)
    }
}

extension NodeEventView {
    init(_ record: EventRecord) {
        self.init(
            id: record.id, node: record.node, time: record.time, driver: record.driver, resource: record.resource,
            kind: record.kind, data: record.data.isEmpty ? nil : .object(record.data.capped(to: 2048)))
    }
}

extension InventoryItemView {
    init(_ record: InventoryRecord, isWhole: Bool) {
        let state = isWhole ? record.state : record.state.capped(to: 512)
        self.init(
            node: record.node, driver: record.driver, resource: record.resource, updatedAt: record.updatedAt,
            state: state.isEmpty ? nil : .object(state))
    }
}
