import Model
package import Store
import WireProtocol

extension Operations {
    /// No new service is placed on the node; those that are there stay.
    package func cordon(_ node: String, by requester: Requester) async throws(CoreError) -> NodeRecord {
        try await change(node, "node.cordon", by: requester) { $0.schedulable = false }
    }

    package func uncordon(_ node: String, by requester: Requester) async throws(CoreError) -> NodeRecord {
        try await change(node, "node.uncordon", by: requester) { $0.schedulable = true }
    }

    /// Replaces all labels.
    package func label(
        _ node: String, labels: [String: String], by requester: Requester
    ) async throws(CoreError) -> NodeRecord {
        try checkLabels(labels, field: "labels")
        return try await change(node, "node.label", detail: ["labels": .strings(labels)], by: requester) {
            $0.labels = labels
        }
    }

    /// Shuts the node out for good: its session is cut at once and its certificate is worth nothing any more.
    package func revoke(
        _ node: String, reason: String, by requester: Requester
    ) async throws(CoreError) -> NodeRecord {
        let now = now
        let revoked: NodeRecord = try await record { store throws(StoreError) in
            if try store.revokeNode(node, at: now) {
                try store.audit("node.revoke", node, by: requester, at: now, detail: ["reason": .string(reason)])
            }
            guard let revoked = try store.node(node) else { return .failure(.notFound(kind: "node", id: node)) }
            return .success(revoked)
        }
        // After the commit: a node that reconnects in between is already refused.
        await world.agents.disconnect(node, reason)
        return revoked
    }

    private func change(
        _ node: String, _ action: String, detail: JSONObject = [:], by requester: Requester,
        _ body: @escaping @Sendable (inout NodeRecord) -> Void
    ) async throws(CoreError) -> NodeRecord {
        let now = now
        return try await record { store throws(StoreError) in
            let before = try store.node(node)
            let after = try store.updateNode(node, body)
            if after != before { try store.audit(action, node, by: requester, at: now, detail: detail) }
            return .success(after)
        }
    }
}
