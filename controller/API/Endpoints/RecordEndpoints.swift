import APIModels
import ControllerCore
import HTTP
import HTTPTypes

extension APIResources {
    /// What nodes have told: events, inventory, and what is missing.
    var records: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/node-events", .read,
                .init(
                    summary: "What nodes saw, newest first", tag: "records", isForCustomers: true,
                    query: ["limit", "cursor", "node", "service", "kind", "resource"],
                    answer: Listing<NodeEventView>.self)
            ) { call in try await listEvents(call) },
            Endpoint(
                .get, "/api/v1/gaps", .read,
                .init(
                    summary: "Data of nodes that never came, newest first", tag: "records",
                    query: ["limit", "cursor", "node", .word("kind", among: Queries.gapStreams)],
                    answer: Listing<GapView>.self)
            ) { call in
                let stream = try call.query.word("kind", among: Queries.gapStreams)
                return try await call.page("gaps") {
                    try await queries(call).gaps(node: call.query["node"], stream: stream, $0)
                }
            },
            Endpoint(
                .get, "/api/v1/inventory", .read,
                .init(
                    summary: "What drivers have on nodes; the whole state of a resource only when it is named",
                    tag: "records", query: ["limit", "cursor", "node", "driver", "resource"],
                    answer: Listing<InventoryItemView>.self)
            ) { call in
                try await call.page("inventory") {
                    try await queries(call).inventory(
                        node: call.query["node"], driver: call.query["driver"], resource: call.query["resource"], $0)
                }
            },
        ]
    }

    private func listEvents(_ call: APICall) async throws -> Answer {
        var question = EventQuestion()
        (question.node, question.service) = (call.query["node"], call.query["service"])
        (question.kind, question.resource) = (call.query["kind"], call.query["resource"])
        let wanted = question
        return try await call.page("node-events") { try await queries(call).nodeEvents(wanted, $0) }
    }
}
