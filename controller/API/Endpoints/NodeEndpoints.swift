import APIModels
import ControllerCore
import HTTP
import HTTPTypes
import Store

extension APIResources {
    var nodes: [Endpoint] { nodeViews + nodeChanges + labels }

    private var nodeViews: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/nodes", .read,
                .init(
                    summary: "All nodes", tag: "nodes",
                    query: ["limit", "cursor", .word("state", NodeRecord.State.self), "name"],
                    answer: Listing<Node>.self)
            ) { call in
                let filter = NodeFilter(
                    state: try call.query.word("state", NodeRecord.State.self), name: call.query["name"])
                let page = try await store.nodes(filter, page: call.pageRequest("nodes"))
                return try .model(page.view("nodes") { Node($0) })
            },
            Endpoint(
                .get, "/api/v1/nodes/{node}", .read,
                .init(summary: "One node, by id or name", tag: "nodes", answer: Node.self)
            ) { call in try .model(Node(await node(call), withFacts: true)) },
        ]
    }

    private var nodeChanges: [Endpoint] {
        [
            Endpoint(
                .post, "/api/v1/nodes/{node}/cordon", .nodes,
                .init(summary: "Place nothing new on a node", tag: "nodes", answer: Node.self)
            ) { call in
                try .model(Node(await operations.cordon(node(call).id, by: call.requester)))
            },
            Endpoint(
                .post, "/api/v1/nodes/{node}/drain", .nodes,
                .init(
                    summary: "Place nothing new on a node, and say that what is there is to go elsewhere", tag: "nodes",
                    answer: Node.self)
            ) { call in
                try .model(Node(await operations.drain(node(call).id, by: call.requester)))
            },
            Endpoint(
                .post, "/api/v1/nodes/{node}/uncordon", .nodes,
                .init(summary: "Let a node take new services again", tag: "nodes", answer: Node.self)
            ) { call in
                try .model(Node(await operations.uncordon(node(call).id, by: call.requester)))
            },
            Endpoint(
                .post, "/api/v1/nodes/{node}/approve", .nodes,
                .init(
                    summary: "Trust a node, with the figures that it claims now", tag: "nodes",
                    body: NodeApproval.self, isBodyOptional: true, answer: Node.self)
            ) { call in
                let seen = try call.optionalModel(NodeApproval.self)?.claims?.claims
                let record = try await operations.approve(node(call).id, seen: seen, by: call.requester)
                return try .model(Node(record, withFacts: true))
            },
            Endpoint(
                .post, "/api/v1/nodes/{node}/revoke", .nodes,
                .init(
                    summary: "Cut a node off at once, for good", tag: "nodes", body: ReasonRequest.self,
                    isBodyOptional: true, answer: Node.self)
            ) { call in
                let reason = try call.reason() ?? "revoked by \(call.caller.name)"
                return try .model(Node(await operations.revoke(node(call).id, reason: reason, by: call.requester)))
            },
            Endpoint(
                .delete, "/api/v1/nodes/{node}", .nodes,
                .init(summary: "Forget a revoked node that holds nothing", tag: "nodes", status: 204)
            ) { call in
                try await operations.removeNode(node(call).id, by: call.requester)
                return .nothing
            },
        ]
    }
}

extension APICall {
    /// The reason in the optional body.
    func reason() throws(Problem) -> String? { try optionalModel(ReasonRequest.self)?.reason }
}
