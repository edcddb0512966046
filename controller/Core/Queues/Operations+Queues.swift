package import APIModels
import Model
import Store
package import WireProtocol

extension Operations {
    /// Has a table looked into from now on.
    package func addQueue(
        name: String, settings: JSONObject, by requester: Requester
    ) async throws(CoreError) -> QueueView {
        try requester.requireFleet()
        guard Grammar.planName.accepts(name) else {
            throw .invalid(field: "name", problem: "must be \(Grammar.planName.expectation)")
        }
        let (now, wanted) = (now, try QueueSettings(json: settings))
        try await check(wanted)
        let queue = QueueRecord(name: name, settings: wanted.json, createdAt: now)
        return try await record { store throws(StoreError) in
            guard try store.queue(name) == nil else { return .failure(.conflict("there is a queue \(name) already")) }
            try store.insertQueue(queue)
            try store.audit("queue.create", name, by: requester, at: now, detail: ["settings": .object(queue.settings)])
            return .success(QueueView(queue, [:]))
        }
    }

    /// Changes its settings as a whole where they are given, and whether it takes anything new.
    package func updateQueue(
        name: String, settings: JSONObject?, isEnabled: Bool?, by requester: Requester
    ) async throws(CoreError) -> QueueView {
        try requester.requireFleet()
        let now = now
        var wanted: QueueSettings?
        if let settings { wanted = try QueueSettings(json: settings) }
        if let wanted { try await check(wanted) }
        let changed = wanted?.json
        return try await record { store throws(StoreError) in
            guard let before = try store.queue(name) else { return .failure(.notFound(kind: "queue", id: name)) }
            let queue = try store.updateQueue(name) { record in
                if let changed, changed != record.settings {
                    // It may be another table now.
                    (record.settings, record.afterRow, record.place) = (changed, nil, nil)
                }
                if let isEnabled { record.isEnabled = isEnabled }
                (record.dueAt, record.updatedAt) = (now, now)
            }
            guard let queue else { return .failure(.notFound(kind: "queue", id: name)) }
            if !queue.isEnabled {
                for kind in [Finding.queueUnreadable, Finding.queueKeyless] {
                    try store.resolve(kind, subject: queue.destination, by: requester.name, at: now)
                }
            }
            var detail: JSONObject = ["changed": .changes(before.settings, queue.settings)]
            detail["enabled"] = isEnabled.map { .bool($0) }
            try store.audit("queue.update", name, by: requester, at: now, detail: detail)
            return .success(QueueView(queue, try store.claimCounts(queue: name)))
        }
    }

    /// Removes one, with all that it was still to write. The services that it made stay.
    package func removeQueue(name: String, by requester: Requester) async throws(CoreError) {
        try requester.requireFleet()
        let now = now
        try await record { store throws(StoreError) -> Result<Void, CoreError> in
            guard let queue = try store.queue(name) else { return .failure(.notFound(kind: "queue", id: name)) }
            try store.removeQueue(name, at: now)
            for kind in [
                Finding.queueUnreadable, Finding.queueKeyless, Finding.queueRefused, Finding.queueDead,
                Finding.queueRowChanged,
            ] {
                try store.resolve(kind, subject: queue.destination, by: requester.name, at: now)
            }
            try store.audit("queue.delete", name, by: requester, at: now)
            return .success(())
        }
    }

    /// Tries again what was given up: of one row, or all. Returns how many rows.
    package func replayQueue(
        _ name: String, claim: String? = nil, by requester: Requester
    ) async throws(CoreError) -> Int {
        try requester.requireFleet()
        let now = now
        return try await record { store throws(StoreError) in
            guard let queue = try store.queue(name) else { return .failure(.notFound(kind: "queue", id: name)) }
            var dead: [QueueClaimRecord] = []
            if let claim {
                guard let known = try store.claim(claim), known.queue == name else {
                    return .failure(.namesNothing(field: "claim", "there is no claim \(claim.prefix(64))"))
                }
                dead = [known].filter { $0.state == .dead }
            } else {
                dead = try store.allClaims(QueueClaimFilter(queue: name, state: .dead))
            }
            var count = 0
            for claim in dead where try store.reopen(claim, at: now) { count += 1 }
            if claim == nil {
                try store.resolve(Finding.queueDead, subject: queue.destination, by: requester.name, at: now)
            }
            try store.audit("queue.replay", name, by: requester, at: now, detail: ["rows": .integer(Int64(count))])
            return .success(count)
        }
    }

    /// What a queue names must be there when it begins.
    private func check(_ settings: QueueSettings) async throws(CoreError) {
        let ports = dependencies.ports.integrations
        do throws(PortError) { _ = try await ports.tables(settings.tables ?? "") } catch {
            throw .invalid(
                field: "settings.tables", problem: "names no integration that offers tables: \(error.message)")
        }
        if let analytics = settings.analytics {
            do throws(PortError) { _ = try await ports.analytics(analytics) } catch {
                throw .invalid(
                    field: "settings.analytics",
                    problem: "names no integration that offers analytics: \(error.message)")
            }
        }
        let name = settings.plan
        let plan: PlanRecord?
        do throws(StoreError) { plan = try await dependencies.store.plan(name) } catch { throw CoreError(error) }
        guard let plan, plan.retiredAt == nil else {
            throw .invalid(field: "settings.plan", problem: "names no plan in use: \(name)")
        }
    }
}

extension Store {
    fileprivate func allClaims(_ filter: QueueClaimFilter) throws(StoreError) -> [QueueClaimRecord] {
        var (claims, page) = ([QueueClaimRecord](), PageRequest(limit: PageRequest.maximum))
        while true {
            let found = try self.claims(filter, page: page)
            claims += found.items
            guard let next = found.next else { return claims }
            page.after = next
        }
    }

    /// False for one whose row was taken anew meanwhile, and for one that has nothing to say.
    fileprivate func reopen(_ claim: QueueClaimRecord, at time: Timestamp) throws(StoreError) -> Bool {
        guard try newestClaim(ofRow: claim.row, in: claim.place)?.id == claim.id,
            try replay(messagesAbout: claim.subject, to: claim.destination, at: time) > 0
        else { return false }
        try updateClaim(claim.id) { ($0.state, $0.finishedAt, $0.problem) = (.ending, nil, nil) }
        return true
    }
}
