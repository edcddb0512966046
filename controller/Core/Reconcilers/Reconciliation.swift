import Logging
import ServiceLifecycle

/// Runs the reconcilers, each at its own interval and independent of the others, until it is told to end.
package struct Reconciliation: Service {
    let dependencies: Dependencies
    let reconcilers: [any Reconciler]

    package init(dependencies: Dependencies, reconcilers: [any Reconciler]) {
        self.dependencies = dependencies
        self.reconcilers = reconcilers
    }

    /// All that the controller keeps true.
    ///
    /// - Parameter operations: asks for repairs, where a service's specification says that it wants them.
    package init(dependencies: Dependencies, operations: Operations, retention: Retention = Retention()) {
        self.init(
            dependencies: dependencies,
            reconcilers: [
                OrphanedAllocations(), ServiceDrift(operations: operations), ThingMarks(operations: operations),
                UnknownObjects(),
                ExpiringCertificates(), UnreachableNodes(), StuckOperations(), SettledOperations(),
                UnsettledOperations(), CustomerDomains(operations: operations),
                ScheduledBackups(operations: operations), BackupVerification(),
                StandingQueues(operations: operations), QueueClaims(),
                UnfulfilledWishes(operations: operations),
                DrainedNodes(operations: operations),
                MetricUpkeep(retention: retention),
                RecordUpkeep(retention: retention), OperationUpkeep(retention: retention),
            ])
    }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            await withDiscardingTaskGroup { group in
                for reconciler in reconcilers {
                    group.addTask { await keep(reconciler) }
                }
            }
        }
    }

    private func keep(_ reconciler: any Reconciler) async {
        while !Task.isCancelled {
            try? await Task.sleep(for: reconciler.interval)
            guard !Task.isCancelled else { return }
            do {
                try await reconciler.reconcile(dependencies)
            } catch {
                dependencies.logger.error(
                    "a reconciler failed and will try again",
                    metadata: ["reconciler": "\(reconciler.name)", "error": "\(error)"])
            }
        }
    }
}
