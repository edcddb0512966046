import APIModels
import ControllerCore
import HTTP
import HTTPTypes
import Store
import WireProtocol

extension APIResources {
    /// What services hold of things of which there is one, and what none gets.
    var allocations: [Endpoint] { allocationViews + withheldChanges }

    private var allocationViews: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/allocations", .read,
                .init(
                    summary: "What services hold: addresses, guests' numbers, names, ports", tag: "networks",
                    query: [
                        "limit", "cursor", "kind", "scope", "value", "service", "node",
                        QueryParameter(
                            "history", ["type": "boolean", "default": false], "Also what was given back since."),
                    ], answer: Listing<AllocationView>.self)
            ) { call in
                let filter = AllocationFilter(
                    kind: call.query["kind"], scope: call.query["scope"], value: call.query["value"],
                    service: try await serviceFilter(call), node: try await nodeFilter(call),
                    withHistory: try call.query.flag("history"))
                let page = try await store.allocations(filter, page: call.pageRequest("allocations"))
                return try .model(page.view("allocations") { AllocationView($0) })
            },
            Endpoint(
                .get, "/api/v1/withheld-values", .read,
                .init(
                    summary: "Values that no service gets: reserved, a stranger's, or resting", tag: "networks",
                    query: ["limit", "cursor", "kind", "scope"], answer: Listing<WithheldView>.self)
            ) { call in
                let page = try await store.withheldValues(
                    kind: call.query["kind"], scope: call.query["scope"], page: call.pageRequest("withheld-values"))
                return try .model(page.view("withheld-values") { WithheldView($0) })
            },
        ]
    }

    private var withheldChanges: [Endpoint] {
        [
            Endpoint(
                .post, "/api/v1/withheld-values", .nodes,
                .init(
                    summary: "Reserve a value: no service gets it from now on; whoever holds it keeps it",
                    tag: "networks",
                    body: WithholdRequest.self, answer: WithheldView.self, status: 201)
            ) { call in
                let request = try call.model(WithholdRequest.self)
                let value = try await operations.reserveValue(
                    kind: request.kind, scope: request.scope ?? "", value: request.value, note: request.note,
                    by: call.requester)
                return try .model(WithheldView(value), status: 201)
            },
            Endpoint(
                .delete, "/api/v1/withheld-values/{value}", .nodes,
                .init(
                    summary: "Let a value be given out again; also one that rests, before its time", tag: "networks",
                    status: 204)
            ) { call in
                try await operations.freeValue(call.path("value"), by: call.requester)
                return .nothing
            },
        ]
    }
}

extension AllocationView {
    fileprivate init(_ record: AllocationRecord) {
        self.init(
            kind: record.kind, scope: record.scope, value: record.value, slot: record.slot.isEmpty ? nil : record.slot,
            node: record.node, service: record.service, operation: record.operation, since: record.createdAt,
            until: record.releasedAt)
    }
}

extension WithheldView {
    fileprivate init(_ value: WithheldValue) {
        self.init(
            id: value.id, kind: value.kind, scope: value.scope, value: value.value, reason: value.reason.rawValue,
            note: value.note, since: value.since, until: value.until)
    }
}
