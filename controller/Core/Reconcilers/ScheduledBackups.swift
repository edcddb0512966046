import Logging
import Model
import Store
import WireProtocol

/// Has services backed up when their turn has come, one at a time on each node, the longest without one first; and tells of those
/// whose backup is overdue.
struct ScheduledBackups: Reconciler {
    let name = "backup-schedule"
    let interval = Duration.seconds(300)
    let operations: Operations
    /// From one try to the next.
    static let rest = Duration.seconds(3600)

    private struct Due: Sendable {
        var service: ServiceRecord
        var offer: BackupOffer
        /// Since when there is no newer one.
        var since: Timestamp
    }

    func reconcile(_ dependencies: Dependencies) async throws {
        var due: [Due] = []
        for product in dependencies.catalogue.products {
            guard let offer = product.backups else { continue }
            var page = PageRequest(limit: 100)
            while true {
                let filter = ServiceFilter(states: [.running, .suspended], product: product.name)
                let found = try await dependencies.store.services(filter, page: page)
                for service in found.items {
                    if let one = try await look(at: service, offer, dependencies) { due.append(one) }
                }
                guard let next = found.next else { break }
                page.after = next
            }
        }
        try await begin(due.sorted { ($0.since, $0.service.id) < ($1.since, $1.service.id) }, dependencies)
    }

    /// Nil for one whose turn has not come.
    private func look(
        at service: ServiceRecord, _ offer: BackupOffer, _ dependencies: Dependencies
    ) async throws -> Due? {
        let (now, rule, by) = (dependencies.clock.now(), offer.rule(service.spec), "reconciler/\(name)")
        let subject = "service/\(service.id)"
        guard rule.keep > 0, let every = rule.every else {
            try await dependencies.store.resolve(Store.overdueFinding, subject: subject, by: by, at: now)
            return nil
        }
        let since = try await dependencies.store.newestBackup(service: service.id)?.madeAt ?? service.createdAt
        if now - since > every + every / 2 {
            try await dependencies.store.raise(.overdue(service, since: since), at: now)
        } else {
            try await dependencies.store.resolve(Store.overdueFinding, subject: subject, by: by, at: now)
        }
        guard since < BackupSlots.last(of: service.id, every: every, before: now) else { return nil }
        return Due(service: service, offer: offer, since: since)
    }

    private func begin(_ due: [Due], _ dependencies: Dependencies) async throws {
        guard !due.isEmpty else { return }
        var free = await dependencies.agents.connected()
        for kind in Set(due.map(\.offer.backUp.name)).sorted() {
            try await free.subtract(nodesAtWork(kind, dependencies.store))
        }
        for one in due {
            guard let node = one.service.node, free.contains(node),
                try await !isResting(one, dependencies)
            else { continue }
            free.remove(node)
            do throws(CoreError) {
                _ = try await operations.backUp(
                    one.service.id, cause: .schedule, by: Requester(name: "reconciler/\(name)"))
            } catch {
                dependencies.logger.warning(
                    "a scheduled backup could not begin",
                    metadata: ["service": "\(one.service.id)", "error": "\(error)"])
            }
        }
    }

    private func nodesAtWork(_ kind: String, _ store: Store) async throws -> Set<String> {
        var (nodes, page) = (Set<String>(), PageRequest(limit: PageRequest.maximum))
        let filter = OperationFilter(states: [.queued, .running], kind: kind)
        while true {
            let found = try await store.operations(filter, page: page)
            nodes.formUnion(found.items.compactMap(\.node))
            guard let next = found.next else { return nodes }
            page.after = next
        }
    }

    /// One that has just failed is not tried again at once.
    private func isResting(_ one: Due, _ dependencies: Dependencies) async throws -> Bool {
        let filter = OperationFilter(service: one.service.id, kind: one.offer.backUp.name)
        let newest = PageRequest(limit: 1, order: .descending)
        guard let last = try await dependencies.store.operations(filter, page: newest).items.first else { return false }
        return !last.state.isFinished || dependencies.clock.now() - (last.finishedAt ?? last.createdAt) < Self.rest
    }
}

extension Finding {
    fileprivate static func overdue(_ service: ServiceRecord, since: Timestamp) -> Finding {
        Finding(
            Store.overdueFinding, subject: "service/\(service.id)", .warning, node: service.node, service: service.id,
            summary:
                "The backup of service \(service.externalID ?? service.id) is overdue: there is none since \(since.iso8601).",
            remedy:
                "See why its last backups failed with innctl operation list, and make one with innctl backup create.")
    }
}
