import Model
import Store
import WireProtocol

/// Reads the lists of storages back: a backup that its storage does not list, or with another size, is none. It restores and removes
/// nothing. Where the node that made it is away, another one is asked only if it reaches the same storage: one with a storage of the
/// same name and without the backup would call it lost.
struct BackupVerification: Reconciler {
    let name = "backup-verification"
    let interval = Duration.seconds(300)
    private static let batch = 500
    private static let daily = Duration.days(1)
    /// After a look that told nothing, or that did not find it.
    private static let soon = Duration.seconds(3600)
    /// Without a look for this long there is a finding.
    private static let patience = Duration.days(2)

    private struct Suspect: Sendable {
        var backup: BackupRecord
        var service: ServiceRecord
        var node: String
        var question: Question
        var read: @Sendable (CommandResult, BackupRecord) -> BackupOffer.Sighting
    }

    func reconcile(_ dependencies: Dependencies) async throws {
        let due = try await dependencies.store.backups(dueBy: dependencies.clock.now(), limit: Self.batch)
        let connected = await dependencies.agents.connected()
        var suspects: [Suspect] = []
        for backup in due {
            switch try await suspect(backup, connected, dependencies) {
            case .found(let suspect): suspects.append(suspect)
            case .busy: try await note(nil, backup, nil, dependencies)
            case .away(let service): try await note(nil, backup, service, dependencies)
            }
        }
        // Backups of one service lie on one list.
        var questions: [String: [Question]] = [:]
        for one in suspects where questions[one.node]?.contains(one.question) != true {
            questions[one.node, default: []].append(one.question)
        }
        let answers = await dependencies.looks.askAll(questions, by: name)
        for one in suspects {
            let place = questions[one.node]?.firstIndex(of: one.question) ?? 0
            let looks = answers[one.node] ?? []
            let look = place < looks.count ? looks[place] : nil
            let result = look?.missing == nil ? look?.result : nil
            try await note(result.map { one.read($0, one.backup) }, one.backup, one.service, dependencies)
        }
    }

    private enum Search: Sendable {
        case found(Suspect)
        /// Nothing can be said now.
        case busy
        /// Nobody who reaches it is there.
        case away(ServiceRecord)
    }

    private func suspect(
        _ backup: BackupRecord, _ connected: Set<String>, _ dependencies: Dependencies
    ) async throws -> Search {
        let store = dependencies.store
        guard let service = try await store.service(backup.service),
            try await store.unfinishedOperations(service: service.id).isEmpty,
            let offer = dependencies.catalogue.product(of: service)?.backups
        else { return .busy }
        let look = try await ServiceLook(service, name: name, dependencies)
        guard let question = offer.question(look, backup) else { return .busy }
        guard let node = try await keeper(of: backup, look, offer, connected) else { return .away(service) }
        return .found(Suspect(backup: backup, service: service, node: node, question: question, read: offer.read))
    }

    /// The node that made it; where that is away, another one of its cluster that reaches its storage.
    private func keeper(
        of backup: BackupRecord, _ look: ServiceLook, _ offer: BackupOffer, _ connected: Set<String>
    ) async throws -> String? {
        let (store, home) = (look.dependencies.store, look.service.node)
        guard let maker = backup.node ?? home else { return nil }
        if connected.contains(maker) { return maker }
        var cluster = try await store.node(maker)?.cluster
        if cluster == nil, let home { cluster = try await store.node(home)?.cluster }
        guard let cluster else { return nil }
        let there = try await store.nodes(ofCluster: cluster).filter(connected.contains)
        guard let neighbour = there.first(where: { $0 == home }) ?? there.first,
            await offer.isShared(look, backup, neighbour) == true
        else { return nil }
        return neighbour
    }

    private func note(
        _ sighting: BackupOffer.Sighting?, _ backup: BackupRecord, _ service: ServiceRecord?,
        _ dependencies: Dependencies
    ) async throws {
        let (now, by, subject) = (dependencies.clock.now(), "reconciler/\(name)", Store.backupSubject(backup.id))
        try await dependencies.store.atomically { store throws(StoreError) in
            // An operation that began meanwhile may have removed it.
            let isAtRest = try store.unfinishedOperations(service: backup.service).isEmpty
            switch sighting {
            case .there(let size)
            where isAtRest && (size == backup.sizeBytes || size == nil || backup.sizeBytes == nil):
                guard
                    try store.updateBackup(
                        backup.id,
                        {
                            ($0.state, $0.verifiedAt, $0.dueAt) = (.available, now, now + Self.daily)
                            $0.sizeBytes = size ?? $0.sizeBytes
                        }) != nil
                else { return }
                for kind in Store.backupFindings { try store.resolve(kind, subject: subject, by: by, at: now) }
            case .there where isAtRest, .gone where isAtRest:
                let changed = try store.updateBackup(backup.id) { ($0.state, $0.dueAt) = (.missing, now + Self.soon) }
                guard changed != nil, let service else { return }
                try store.raise(.missing(backup, service, isThere: sighting != .gone), at: now)
            default:
                let changed = try store.updateBackup(backup.id) { $0.dueAt = now + Self.soon }
                guard changed != nil, sighting == nil, let service,
                    now - (backup.verifiedAt ?? backup.madeAt) > Self.patience
                else { return }
                let maker = try (backup.node ?? service.node).flatMap { id throws(StoreError) in try store.node(id) }
                try store.raise(.unverified(backup, service, maker: maker?.name), at: now)
            }
        }
    }
}

extension Finding {
    fileprivate static func unverified(_ backup: BackupRecord, _ service: ServiceRecord, maker: String?) -> Finding {
        let node = maker.map { "node \($0), which made it, is away" } ?? "the node that made it is gone"
        return Finding(
            Store.unverifiedFinding, subject: Store.backupSubject(backup.id), .warning, node: backup.node,
            service: service.id,
            summary:
                "Backup \(backup.id) of service \(service.externalID ?? service.id) was not seen for two days, and cannot be restored now: \(node), and no other node is known to reach its storage.",
            remedy:
                "Bring the node back; where that takes long, make another backup with innctl backup create.",
            data: ["backup": .string(backup.name)])
    }

    fileprivate static func missing(_ backup: BackupRecord, _ service: ServiceRecord, isThere: Bool) -> Finding {
        let reason = isThere ? "its storage lists it with another size" : "its storage does not list it"
        return Finding(
            Store.backupFinding, subject: Store.backupSubject(backup.id), .error, node: service.node,
            service: service.id,
            summary:
                "Backup \(backup.id) of service \(service.externalID ?? service.id) cannot be relied on: \(reason).",
            remedy:
                "See on the node whether the storage is there and who has removed \(backup.name); make another one with innctl backup create.",
            data: ["backup": .string(backup.name)])
    }
}
