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
    /// Beyond its deadline the last step may still get its answer.
    static let patience = Duration.seconds(900)
    /// For one whose journal says nothing.
    private static let ordinary = Duration.seconds(3600)

    func reconcile(_ world: World) async throws {
        let now = world.clock.now()
        for operation in try await world.store.runningOperations() {
            guard let started = operation.startedAt, now - started > Self.patience else { continue }
            let deadline = try await deadline(of: operation, world.store) ?? started + Self.ordinary
            guard now - deadline > Self.patience else { continue }
            world.logger.error(
                "an operation has been running for too long",
                metadata: ["operation": "\(operation.id)", "started": "\(started.iso8601)"])
            guard let node = operation.node else { continue }
            try await world.store.recordFinding(
                EventRecord(
                    id: "ev_stuck.\(operation.id)", node: node, seq: 0, time: now, driver: "controller",
                    resource: nil, kind: "operation.stuck", data: ["operation": .string(operation.id)]))
        }
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
