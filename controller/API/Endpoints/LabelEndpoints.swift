import APIModels
import ControllerCore
import HTTP
import HTTPTypes

extension APIResources {
    /// The labels of a node are a thing of their own, so that they have a tag of their own: a node changes with each sign of
    /// life.
    var labels: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/nodes/{node}/labels", .read,
                .init(summary: "The labels of a node", tag: "nodes", answer: LabelsRequest.self)
            ) { call in
                try await .model(LabelsRequest(labels: queries(call).node(named: call.path("node")).labels))
            },
            Endpoint(
                .put, "/api/v1/nodes/{node}/labels", .nodes,
                .init(
                    summary: "Replace the labels of a node", tag: "nodes", body: LabelsRequest.self, answer: Node.self,
                    isConditional: true)
            ) { call in
                let wanted = try call.model(LabelsRequest.self).labels
                return try await label(call) { _ in wanted }
            },
            Endpoint(
                .patch, "/api/v1/nodes/{node}/labels", .nodes,
                .init(
                    summary:
                        "Set some labels of a node and take others away (null); all others stay (JSON merge patch, RFC 7396)",
                    tag: "nodes", body: LabelsPatch.self, answer: Node.self, isConditional: true)
            ) { call in
                let patch = try call.model(LabelsPatch.self).labels
                return try await label(call) { present in
                    var next = present
                    for (name, value) in patch { next[name] = value }
                    return next
                }
            },
        ]
    }

    private func label(
        _ call: APICall, _ next: @escaping @Sendable ([String: String]) -> [String: String]
    ) async throws -> Answer {
        let expected = call.expectation
        let changed = try await operations.label(
            nodeID(call), by: call.requester,
            ifSo: { expected.holds(for: try? BodyEncoder.bytes(LabelsRequest(labels: $0))) }, next)
        // The tag is that of the labels, which are what this is about.
        let node = try queries(call).changed(changed)
        return try .model(node).tagged(EntityTag(of: BodyEncoder.bytes(LabelsRequest(labels: node.labels))))
    }
}
