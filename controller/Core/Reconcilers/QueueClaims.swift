import Logging
import Model
import Store
import WireProtocol

/// Tells the rows that were taken what has become of them, and erases what requests brought when it is needed no more, or its
/// time is up.
struct QueueClaims: Reconciler {
    let name = "queue-claims"
    let interval = Duration.seconds(2)
    private static let batch = 500
    private static let breadth = 16

    func reconcile(_ dependencies: Dependencies) async throws {
        let now = dependencies.clock.now()
        for request in try await dependencies.store.expiredQueueRequests(at: now, limit: Self.batch) {
            try await end(request, dependencies)
        }
        var due = try await dependencies.store.claims(dueBy: now, limit: Self.batch)[...]
        await withTaskGroup(of: Void.self) { group in
            func begin() {
                guard !Task.isCancelled, let claim = due.popFirst() else { return }
                group.addTask { await look(at: claim, dependencies) }
            }
            for _ in 0..<Self.breadth { begin() }
            while await group.next() != nil { begin() }
        }
    }

    private func look(at claim: QueueClaimRecord, _ dependencies: Dependencies) async {
        do {
            let sight = try await QueueSight.take(claim, dependencies)
            let settings = try await settings(of: claim, dependencies.store)
            try await note(sight, of: claim, settings, dependencies)
        } catch {
            dependencies.logger.warning(
                "a row that was taken could not be looked after",
                metadata: ["claim": "\(claim.id)", "error": "\(error)"])
            let later = dependencies.clock.now() + .seconds(60)
            _ = try? await dependencies.store.updateClaim(claim.id) { $0.dueAt = later }
        }
    }

    private func settings(of claim: QueueClaimRecord, _ store: Store) async throws -> QueueSettings {
        if let name = claim.queue, let queue = try await store.queue(name) {
            return try QueueSettings(json: queue.settings)
        }
        if let id = claim.request, let kept = try await store.queueRequest(id)?.settings["settings"]?.asObject {
            return try QueueSettings(json: kept)
        }
        throw PortError(.notSetUp, "its queue is not there any more")
    }

    private func note(
        _ sight: QueueSight, of claim: QueueClaimRecord, _ settings: QueueSettings, _ dependencies: Dependencies
    ) async throws(StoreError) {
        let now = dependencies.clock.now()
        try await dependencies.store.atomically { store throws(StoreError) -> Void in
            // Somebody else may have been sooner.
            guard let present = try store.claim(claim.id), present.state == claim.state, present.dueAt == claim.dueAt
            else { return }
            switch sight {
            case .later(let wait): try store.updateClaim(claim.id) { $0.dueAt = now + wait }
            case .news(let news, let isLast):
                _ = try store.post(news, of: present, settings, at: now)
                try store.updateClaim(claim.id) {
                    $0.state = isLast ? .ending : .watching
                    // What does not come is asked for less and less often.
                    $0.dueAt = now + max(.seconds(30), min(.seconds(1800), (now - claim.createdAt) / 10))
                    if case .failed(let reason) = news { $0.problem = QueueText.reason(reason) }
                }
                try store.settle(claim: claim.id, at: now)
            case .over:
                try store.updateClaim(claim.id) { $0.state = .ending }
                try store.settle(claim: claim.id, at: now)
            }
        }
    }

    /// What was not told by then is not told any more.
    private func end(_ request: QueueRequestRecord, _ dependencies: Dependencies) async throws {
        let (now, reason) = (dependencies.clock.now(), "the credentials of its request were erased after a day")
        try await dependencies.store.atomically { store throws(StoreError) in
            var page = PageRequest(limit: PageRequest.maximum)
            var count = 0
            while true {
                let found = try store.claims(QueueClaimFilter(request: request.id), page: page)
                for claim in found.items where claim.finishedAt == nil {
                    let waits = try store.hasWaiting(about: claim.subject, for: claim.destination)
                    let isTold = claim.state == .watching && claim.told != nil && !waits
                    if !isTold {
                        count += 1
                        try store.giveUp(messagesAbout: claim.subject, to: claim.destination, because: reason, at: now)
                    }
                    try store.updateClaim(claim.id) {
                        ($0.state, $0.finishedAt) = (isTold ? .done : .dead, now)
                        if !isTold { $0.problem = reason }
                    }
                }
                guard let next = found.next else { break }
                page.after = next
            }
            try store.eraseQueueRequest(request.id, at: now)
            if count > 0 { try store.raise(.unsaid(request, count), at: now) }
        }
    }
}

extension Store {
    /// Ends a claim of which nothing more is to be told, once what was told last is acknowledged.
    func settle(claim id: String, at time: Timestamp) throws(StoreError) {
        guard let claim = try claim(id), claim.state == .ending,
            try !hasWaiting(about: claim.subject, for: claim.destination)
        else { return }
        try updateClaim(id) { ($0.state, $0.finishedAt) = (.done, time) }
        if let request = claim.request { try eraseSpentQueueRequest(request, at: time) }
    }
}

extension Finding {
    fileprivate static func unsaid(_ request: QueueRequestRecord, _ count: Int) -> Finding {
        Finding(
            queueDead, subject: request.destination, .warning,
            summary:
                "\(count) rows of the request \(request.id) could not be told what became of their sites within a day, and its credentials are erased.",
            remedy: "The sites are there or tell why not: innctl service list. Ask again with POST /process.")
    }
}
