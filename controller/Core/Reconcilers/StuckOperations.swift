import Logging
import Model
import Store
import WireProtocol

/// Reports operations that have been running longer than any saga may take. The executor ends them by their deadline,
/// so that one found here means that the executor does not come to it.
struct StuckOperations: Reconciler {
    let name = "stuck-operations"
    let interval = Duration.seconds(300)
    static let patience = Duration.seconds(2 * 3600)

    func reconcile(_ world: World) async throws {
        let now = world.clock.now()
        for operation in try await world.store.runningOperations() {
            guard let started = operation.startedAt, now - started > Self.patience else { continue }
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
}
