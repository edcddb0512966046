package import APIModels
import Model
import Store
import WireProtocol

extension Queries {
    /// All standing queues, by name. There are few: an operator writes each.
    package func queues() async throws(CoreError) -> [QueueView] {
        try await readFleet { store throws(StoreError) in
            var views: [QueueView] = []
            for queue in try store.queues() { views.append(QueueView(queue, try store.claimCounts(queue: queue.name))) }
            return views
        }
    }

    package func queue(_ name: String) async throws(CoreError) -> QueueView {
        let found = try await readFleet { store throws(StoreError) in
            try store.queue(name).map { queue throws(StoreError) in
                QueueView(queue, try store.claimCounts(queue: queue.name))
            }
        }
        guard let found else { throw .notFound(kind: "queue", id: name) }
        return found
    }

    /// Rows that were taken, newest first: by a standing queue, or by anybody.
    package func queueClaims(
        queue: String?, state: String?, _ part: ListPart
    ) async throws(CoreError) -> Listing<QueueClaimView> {
        let filter = QueueClaimFilter(queue: queue, state: state.flatMap(QueueClaimRecord.State.init(rawValue:)))
        let page = try await readFleet { store throws(StoreError) in
            try store.claims(filter, page: part.request(.descending))
        }
        return page.listing { QueueClaimView($0) }
    }

    /// What `state` of a claim can be.
    package static let claimStates = QueueClaimRecord.State.allCases.map(\.rawValue)
}

extension QueueView {
    init(_ record: QueueRecord, _ counts: [QueueClaimRecord.State: Int]) {
        self.init(
            name: record.name, settings: .object(record.settings), enabled: record.isEnabled,
            nextAt: record.isEnabled ? record.dueAt : nil, lastAt: record.runAt, problem: record.problem,
            rows: .init(
                working: counts[.working] ?? 0, watching: counts[.watching] ?? 0, ending: counts[.ending] ?? 0,
                done: counts[.done] ?? 0, overtaken: counts[.overtaken] ?? 0, dead: counts[.dead] ?? 0),
            createdAt: record.createdAt, changedAt: record.updatedAt)
    }
}

extension QueueClaimView {
    init(_ record: QueueClaimRecord) {
        self.init(
            id: record.id, queue: record.queue, request: record.request, row: record.row, domain: record.domain,
            service: record.service, operation: record.operation, state: record.state.rawValue,
            wanted: .object(record.wanted), problem: record.problem, createdAt: record.createdAt,
            finishedAt: record.finishedAt)
    }
}

extension QueueRunView {
    init(_ turn: QueueTurn) {
        self.init(
            taken: turn.taken.map {
                Taken(
                    row: $0.claim.row, domain: $0.claim.domain, service: $0.claim.service,
                    operation: $0.claim.operation, isNew: $0.isNew)
            }, goesOn: turn.after != nil, problem: turn.problem.map { Operations.sentence($0) })
    }
}
