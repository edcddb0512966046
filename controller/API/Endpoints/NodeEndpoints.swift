import APIModels
import ControllerCore
import HTTP
import HTTPTypes

extension APIResources {
    var nodes: [Endpoint] { nodeViews + nodeChanges + labels }

    private var nodeViews: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/nodes", .read,
                .init(
                    summary: "All nodes", tag: "nodes",
                    query: ["limit", "cursor", .word("state", among: Queries.nodeStates), "name"],
                    answer: Listing<Node>.self)
            ) { call in
                let state = try call.query.word("state", among: Queries.nodeStates)
                return try await call.page("nodes") {
                    try await queries(call).nodes(state: state, name: call.query["name"], $0)
                }
            },
            Endpoint(
                .get, "/api/v1/nodes/{node}", .read,
                .init(summary: "One node, by id or name", tag: "nodes", answer: Node.self)
            ) { call in try await .model(queries(call).node(named: call.path("node"))) },
        ]
    }

    private var nodeChanges: [Endpoint] {
        [
            Endpoint(
                .post, "/api/v1/nodes/{node}/cordon", .nodes,
                .init(summary: "Place nothing new on a node", tag: "nodes", answer: Node.self)
            ) { call in
                try await .model(queries(call).changed(operations.cordon(nodeID(call), by: call.requester)))
            },
            Endpoint(
                .post, "/api/v1/nodes/{node}/drain", .nodes,
                .init(
                    summary: "Place nothing new on a node, and move what is there elsewhere", tag: "nodes",
                    body: DrainRequest.self, isBodyOptional: true, answer: Node.self)
            ) { call in
                let stops = try call.optionalModel(DrainRequest.self)?.stop ?? false
                return try await .model(
                    queries(call).changed(operations.drain(nodeID(call), stopping: stops, by: call.requester)))
            },
            Endpoint(
                .post, "/api/v1/nodes/{node}/uncordon", .nodes,
                .init(summary: "Let a node take new services again, and end its drain", tag: "nodes", answer: Node.self)
            ) { call in
                try await .model(queries(call).changed(operations.uncordon(nodeID(call), by: call.requester)))
            },
            Endpoint(
                .post, "/api/v1/nodes/{node}/approve", .nodes,
                .init(
                    summary: "Trust a node, with the figures that it claims now", tag: "nodes",
                    body: NodeApproval.self, isBodyOptional: true, answer: Node.self)
            ) { call in
                let seen = try call.optionalModel(NodeApproval.self)?.claims?.claims
                let node = try await operations.approve(nodeID(call), seen: seen, by: call.requester)
                return try .model(queries(call).changed(node, withFacts: true))
            },
            Endpoint(
                .post, "/api/v1/nodes/{node}/revoke", .nodes,
                .init(
                    summary: "Cut a node off at once, for good", tag: "nodes", body: ReasonRequest.self,
                    isBodyOptional: true, answer: Node.self)
            ) { call in
                let reason = try call.reason() ?? "revoked by \(call.caller.name)"
                return try await .model(
                    queries(call).changed(operations.revoke(nodeID(call), reason: reason, by: call.requester)))
            },
            Endpoint(
                .delete, "/api/v1/nodes/{node}", .nodes,
                .init(summary: "Forget a revoked node that holds nothing", tag: "nodes", status: 204)
            ) { call in
                try await operations.removeNode(nodeID(call), by: call.requester)
                return .nothing
            },
        ]
    }
}

extension APICall {
    /// The reason in the optional body.
    func reason() throws(Problem) -> String? { try optionalModel(ReasonRequest.self)?.reason }
}
