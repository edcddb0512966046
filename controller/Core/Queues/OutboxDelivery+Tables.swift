import Logging
import Model
import Store
import WireProtocol

extension OutboxRecord {
    /// Whether it is written into a row of somebody's table.
    var isForTable: Bool { subject.hasPrefix(Self.claimPrefix) }

    fileprivate static let claimPrefix = "claim/"

    fileprivate var claimID: String { String(subject.dropFirst(Self.claimPrefix.count)) }
}

/// What came of writing into a row.
private enum Written: Sendable {
    case done
    /// The row is not there any more, or hidden.
    case gone
    /// Somebody else has changed it meanwhile, to this.
    case changed(String)
    case failed(PortError)
}

/// Write-backs: in order for each row, at least once. The same row is told the same again where an answer was lost, and nothing
/// is written over what somebody else has written meanwhile.
extension OutboxDelivery {
    /// False when nothing more should go there now.
    func write(_ message: OutboxRecord) async throws(StoreError) -> Bool {
        let store = dependencies.store
        guard let claim = try await store.claim(message.claimID) else {
            let now = dependencies.clock.now()
            try await store.note(attemptAt: message.id) {
                ($0.state, $0.finishedAt, $0.problem) = (.dead, now, "nobody knows of its row any more")
            }
            return true
        }
        // A later one was written: this is no news.
        if let told = claim.told, told > message.id { return try await note(.done, message, claim) }
        let written = await written(message, claim)
        // What was broken off by our own end is no failure of the other side's.
        if Task.isCancelled, case .failed = written { return false }
        return try await note(written, message, claim)
    }

    private func written(_ message: OutboxRecord, _ claim: QueueClaimRecord) async -> Written {
        do throws(PortError) {
            let source = try await QueueSource(of: claim, dependencies)
            let (table, status) = (source.sitesTable, source.settings.sites.statusHosting)
            guard let key = try? JSONParser.parse(claim.row), let fields = message.body["fields"]?.asObject else {
                throw PortError(.refused, "the write-back is none")
            }
            let words = message.body["from"]?.asArray ?? []
            for word in words where try await source.tables.update(table, key, fields, [status: word]) > 0 {
                return .done
            }
            let rows = try await source.tables.rows(table, [status], [source.settings.sites.key: key], nil, 1)
            guard let present = rows.first?[status] else { return .gone }
            guard words.contains(present) else { return .changed(present.asString ?? present.text) }
            throw PortError(.refused, "the row is there and cannot be changed: the key may read it alone")
        } catch { return .failed(error) }
    }

    private func note(
        _ written: Written, _ message: OutboxRecord, _ claim: QueueClaimRecord
    ) async throws(StoreError) -> Bool {
        let (store, now, by) = (dependencies.store, dependencies.clock.now(), message.destination)
        switch written {
        case .done:
            desk.worked(message.destination)
            try await store.atomically { store throws(StoreError) in
                try store.note(attemptAt: message.id) {
                    ($0.state, $0.finishedAt, $0.problem) = (.delivered, now, nil)
                }
                try store.updateClaim(claim.id) { $0.told = max($0.told ?? "", message.id) }
                try store.settle(claim: claim.id, at: now)
                try store.resolve(Finding.queueRefused, subject: message.destination, by: by, at: now)
            }
            return true
        case .gone: return try await leave(message, claim, "the row is not there any more, or hidden")
        case .changed(let word):
            return try await leave(
                message, claim, "somebody has set its status to \(QueueText.reason(String(word.prefix(64)))) meanwhile")
        case .failed(let error): return try await failed(error, message, claim)
        }
    }

    /// A row that is somebody else's now is left as it is, with all that it was still to be told.
    private func leave(
        _ message: OutboxRecord, _ claim: QueueClaimRecord, _ reason: String
    ) async throws(StoreError) -> Bool {
        let now = dependencies.clock.now()
        try await dependencies.store.atomically { store throws(StoreError) in
            try store.note(attemptAt: message.id) { ($0.state, $0.finishedAt, $0.problem) = (.delivered, now, reason) }
            try store.giveUp(messagesAbout: claim.subject, to: claim.destination, because: reason, at: now)
            try store.updateClaim(claim.id) { ($0.state, $0.finishedAt, $0.problem) = (.overtaken, now, reason) }
            if let request = claim.request { try store.eraseSpentQueueRequest(request, at: now) }
            try store.raise(.rowChanged(claim, reason), at: now)
        }
        return true
    }

    private func failed(
        _ error: PortError, _ message: OutboxRecord, _ claim: QueueClaimRecord
    ) async throws(StoreError) -> Bool {
        let now = dependencies.clock.now()
        let chance = Double(dependencies.ports.random.bytes(1).first ?? 0) / 255
        let wait = DeliverySchedule.wait(after: message.attempts + 1, chance: chance)
        let isReceivers = error.kind == .silent || error.kind == .busy
        try await dependencies.store.atomically { store throws(StoreError) in
            try store.note(attemptAt: message.id) {
                $0.problem = error.message
                if let wait { $0.dueAt = now + wait } else { ($0.state, $0.finishedAt) = (.dead, now) }
            }
            if wait == nil {
                try store.giveUp(messagesAbout: claim.subject, to: claim.destination, because: error.message, at: now)
                try store.updateClaim(claim.id) { ($0.state, $0.finishedAt, $0.problem) = (.dead, now, error.message) }
                if let request = claim.request { try store.eraseSpentQueueRequest(request, at: now) }
                try store.raise(.dead(claim, error.message), at: now)
            } else if !isReceivers {
                try store.raise(.refused(claim, error.message), at: now)
            }
        }
        guard isReceivers else { return true }
        desk.rests(message.destination, from: now, atLeast: nil)
        return false
    }
}

extension Finding {
    fileprivate static func refused(_ claim: QueueClaimRecord, _ problem: String) -> Finding {
        Finding(
            queueRefused, subject: claim.destination, .warning, service: claim.service,
            summary:
                "\(claim.keeper) does not take what became of site \(claim.domain), and is asked again: \(problem.capped(to: 500)).",
            remedy: "Mend what it says: the key must be allowed to read and change the table, and its columns be there."
        )
    }

    fileprivate static func dead(_ claim: QueueClaimRecord, _ problem: String) -> Finding {
        Finding(
            queueDead, subject: claim.destination, .warning,
            summary:
                "\(claim.keeper) was not told what became of rows, and that was given up. The last, site \(claim.domain): \(problem.capped(to: 500)).",
            remedy: claim.queue.map { "When its table is well: innctl queue replay \($0)." }
                ?? "When its table is well: ask again with POST /process.")
    }

    fileprivate static func rowChanged(_ claim: QueueClaimRecord, _ reason: String) -> Finding {
        Finding(
            queueRowChanged, subject: claim.destination, .info, service: claim.service,
            summary: "A row of \(claim.keeper), site \(claim.domain), was not told what became of it: \(reason).",
            remedy: "Its service stays as it is; terminate it where it is not wanted any more.",
            data: ["row": .string(claim.row)])
    }
}

extension QueueClaimRecord {
    /// For people.
    fileprivate var keeper: String { queue.map { "Queue \($0)" } ?? "The request \(request ?? "")" }
}
