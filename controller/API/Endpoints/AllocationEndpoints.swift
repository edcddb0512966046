import APIModels
import ControllerCore
import HTTP
import HTTPTypes
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
                    isForCustomers: true,
                    query: [
                        "limit", "cursor", "kind", "scope", "value", "service", "node",
                        QueryParameter(
                            "history", ["type": "boolean", "default": false], "Also what was given back since."),
                    ], answer: Listing<AllocationView>.self)
            ) { call in
                var question = AllocationQuestion()
                (question.kind, question.scope) = (call.query["kind"], call.query["scope"])
                question.value = call.query["value"]
                (question.service, question.node) = (call.query["service"], call.query["node"])
                question.withHistory = try call.query.flag("history")
                let wanted = question
                return try await call.page("allocations") { try await queries(call).allocations(wanted, $0) }
            },
            Endpoint(
                .get, "/api/v1/withheld-values", .read,
                .init(
                    summary: "Values that no service gets: reserved, a stranger's, or resting", tag: "networks",
                    query: ["limit", "cursor", "kind", "scope"], answer: Listing<WithheldView>.self)
            ) { call in
                try await call.page("withheld-values") {
                    try await queries(call).withheldValues(kind: call.query["kind"], scope: call.query["scope"], $0)
                }
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
                return try .model(queries(call).changed(value), status: 201)
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
