import Logging
import Model
import Store
import WireProtocol

/// Looks into standing queues when their turn has come. Whoever holds one is alone at it.
struct StandingQueues: Reconciler {
    let name = "queues"
    let interval = Duration.seconds(2)
    let operations: Operations
    private static let breadth = 8

    func reconcile(_ dependencies: Dependencies) async throws {
        let due = try await dependencies.store.dueQueues(at: dependencies.clock.now(), limit: Self.breadth)
        await withTaskGroup(of: Void.self) { group in
            for queue in due {
                group.addTask {
                    do throws(CoreError) { _ = try await operations.look(into: queue.name) } catch {
                        dependencies.logger.warning(
                            "a queue could not be looked into",
                            metadata: ["queue": "\(queue.name)", "error": "\(error)"])
                    }
                }
            }
        }
    }
}
