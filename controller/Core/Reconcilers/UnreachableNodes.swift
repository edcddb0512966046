import Logging
import Model
import Store
import WireProtocol

/// Reports approved nodes that were there and are not now: what stands on them can neither be looked at nor changed.
struct UnreachableNodes: Reconciler {
    let name = "unreachable-nodes"
    let interval = Duration.seconds(60)
    private static let kind = "node.unreachable"
    /// A restart of agent or controller is over by then.
    static let patience = Duration.seconds(60)
    private static let batch = 500

    func reconcile(_ dependencies: Dependencies) async throws {
        let now = dependencies.clock.now()
        var request = PageRequest(limit: Self.batch)
        while true {
            let page = try await dependencies.store.nodes(NodeFilter(state: .unreachable), page: request)
            for node in page.items { try await report(node, dependencies, at: now) }
            guard let next = page.next else { break }
            request.after = next
        }
        _ = try await dependencies.store.settleFindings([Self.kind], unseenSince: now - Store.findingRest, at: now)
    }

    private func report(_ node: NodeRecord, _ dependencies: Dependencies, at now: Timestamp) async throws {
        guard node.revokedAt == nil, node.approvedAt != nil, let seen = node.lastSeen, now - seen > Self.patience
        else { return }
        let finding = Finding(
            Self.kind, subject: "node/\(node.id)", .error, node: node.id,
            summary: "Node \(node.name) has not been heard since \(seen.iso8601).",
            remedy:
                "See whether the machine runs and reaches the controller, then look at its agent: systemctl status innkeeper-agent. One that is gone for good: innctl node revoke \(node.name).",
            data: ["last_seen": .integer(seen.milliseconds)])
        if try await dependencies.store.raise(finding, at: now) {
            dependencies.logger.warning(
                "a node is unreachable", metadata: ["node": "\(node.name)", "last_seen": "\(seen.iso8601)"])
        }
    }
}
