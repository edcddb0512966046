import Logging
import Model
import Saga
import Store
import WireProtocol

/// Reports operations that run beyond their own time. The executor ends them by their deadline, which for a transfer may
/// be a day, so that one found here means that the executor does not come to it.
struct StuckOperations: Reconciler {
    let name = "stuck-operations"
    let interval = Duration.seconds(300)
    private static let kind = "operation.stuck"
    /// Beyond its deadline the last step may still get its answer.
    static let patience = Duration.seconds(900)
    /// For one whose journal says nothing.
    private static let ordinary = Duration.seconds(3600)

    func reconcile(_ dependencies: Dependencies) async throws {
        let now = dependencies.clock.now()
        for operation in try await dependencies.store.runningOperations() {
            guard let started = operation.startedAt, now - started > Self.patience else { continue }
            let deadline = try await deadline(of: operation, dependencies.store) ?? started + Self.ordinary
            guard now - deadline > Self.patience else { continue }
            dependencies.logger.error(
                "an operation has been running for too long",
                metadata: ["operation": "\(operation.id)", "started": "\(started.iso8601)"])
            try await dependencies.store.raise(
                Finding(
                    Self.kind, subject: "operation/\(operation.id)", .warning, node: operation.node,
                    service: operation.service,
                    summary: "Operation \(operation.id) (\(operation.kind)) runs longer than any of its steps may.",
                    remedy: "See what its node does, and call it off with innctl operation cancel \(operation.id)."),
                at: now)
        }
        _ = try await dependencies.store.settleFindings([Self.kind], unseenSince: now - Store.findingRest, at: now)
    }

    /// Of the way that it is on now, forward or back.
    private func deadline(of operation: OperationRecord, _ store: Store) async throws -> Timestamp? {
        try await store.journal(operation.id).reduce(nil) { known, record in
            guard let json = record.entry.asObject, let entry = try? JournalEntry(json: json) else { return known }
            switch entry {
            case .started(let deadline, _), .unwindStarted(_, let deadline): return deadline
            default: return known
            }
        }
    }
}
