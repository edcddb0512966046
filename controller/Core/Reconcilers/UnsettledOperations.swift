import Model
import Store
import WireProtocol

/// Reports operations that ended so that somebody has to look: what is left over of them stays until then.
struct UnsettledOperations: Reconciler {
    let name = "unsettled-operations"
    let interval = Duration.seconds(60)
    private static let kind = "operation.needs_attention"
    private static let batch = 100

    func reconcile(_ dependencies: Dependencies) async throws {
        let now = dependencies.clock.now()
        let filter = OperationFilter(states: [.needsAttention])
        var request = PageRequest(limit: Self.batch)
        while true {
            let page = try await dependencies.store.operations(filter, page: request)
            for operation in page.items { try await dependencies.store.raise(finding(operation), at: now) }
            guard let next = page.next else { break }
            request.after = next
        }
        _ = try await dependencies.store.settleFindings([Self.kind], unseenSince: now - Store.findingRest, at: now)
    }

    private func finding(_ operation: OperationRecord) -> Finding {
        let reason = operation.error.map { ": \($0.message)" } ?? "."
        return Finding(
            Self.kind, subject: "operation/\(operation.id)", .error, node: operation.node, service: operation.service,
            summary: "Operation \(operation.id) (\(operation.kind)) needs attention\(reason)",
            remedy:
                "See what is left over: innctl operation show \(operation.id). When it is seen to: innctl operation resolve \(operation.id) --note WHAT."
        )
    }
}
