import Logging
import Model
import Store
import WireProtocol

/// Gives names and reservations free whose service is terminated or was never recorded. Rows only: it touches nothing
/// on any node.
struct OrphanedAllocations: Reconciler {
    let name = "orphaned-allocations"
    let interval = Duration.seconds(600)

    func reconcile(_ dependencies: Dependencies) async throws {
        let now = dependencies.clock.now()
        let by = Requester(name: "reconciler/\(name)")
        let freed = try await dependencies.store.atomically { store throws(StoreError) in
            let services = Set(try store.orphanedAllocations().map(\.service)).sorted()
            var freed: [String] = []
            for service in services where try store.unfinishedOperations(service: service).isEmpty {
                try store.releaseAll(service: service, at: now, by: dependencies.allocation)
                try store.audit("allocations.release", service, by: by, at: now)
                freed.append(service)
            }
            return freed
        }
        if !freed.isEmpty {
            dependencies.logger.warning("orphaned allocations were released", metadata: ["services": "\(freed.count)"])
        }
    }
}
