package import APIModels
import Model
import Store
package import WireProtocol

/// A row of a request, and the work on it.
package struct QueueSite: Sendable, Hashable {
    /// The row's key as its table has it.
    package var id: JSONValue
    package var domain: String
    /// Nil for one of which nothing can be made: the row is told why.
    package var operation: String?
}

extension Operations {
    /// How long what a request brought is kept at most.
    package static let requestLifetime = Duration.seconds(24 * 3600)
    /// Rows that one request takes.
    private static let requestLimit = 1000
    /// Somebody is at a queue no longer than this.
    private static let hold = Duration.seconds(300)

    /// Takes what waits in a table that a request says the way to.
    /// - Parameters:
    ///   - settings: what the rows become, and what they are told.
    ///   - site: the key of the one row that is wanted.
    /// - Throws: a `CoreError` for what is wrong with the request, a `PortError` where the table could not be read.
    package func process(
        _ credentials: QueueCredentials, _ settings: QueueSettings, only site: JSONValue? = nil,
        by requester: Requester
    ) async throws -> [QueueSite] {
        try requester.requireFleet()
        let now = now
        let record = QueueRequestRecord(
            id: Identifier.make("qrq"), settings: try credentials.kept(settings, dependencies), askedBy: requester.name,
            createdAt: now, expiresAt: now + Self.requestLifetime)
        let source: QueueSource
        source = try QueueSource(record, dependencies)
        let place = source.place
        try await self.record { store throws(StoreError) -> Result<Void, CoreError> in
            try store.insertQueueRequest(record)
            try store.audit("queue.process", record.id, by: requester, at: now, detail: ["table": .string(place)])
            return .success(())
        }
        let turn = await QueueRun(operations: self, source: source, most: Self.requestLimit, isAsked: true)
            .turn(only: site)
        try await self.record { store throws(StoreError) -> Result<Void, CoreError> in
            try store.eraseSpentQueueRequest(record.id, at: now)
            return .success(())
        }
        // What was taken before something went wrong is told: its work goes on.
        if let problem = turn.problem, turn.taken.isEmpty { throw problem }
        return turn.taken.compactMap { taken in
            (try? JSONParser.parse(taken.claim.row)).map {
                QueueSite(id: $0, domain: taken.claim.domain, operation: taken.claim.operation)
            }
        }
    }

    /// Looks into a standing queue now.
    package func runQueue(_ name: String, by requester: Requester) async throws(CoreError) -> QueueRunView {
        try requester.requireFleet()
        let now = now
        try await record { store throws(StoreError) -> Result<Void, CoreError> in
            guard try store.queue(name) != nil else { return .failure(.notFound(kind: "queue", id: name)) }
            try store.audit("queue.run", name, by: requester, at: now)
            return .success(())
        }
        guard let turn = try await look(into: name, isAsked: true) else {
            throw .conflict("somebody is looking into queue \(name) already")
        }
        return QueueRunView(turn)
    }

    /// Nil where somebody else is at it.
    /// - Parameter isAsked: whether somebody asks for it now.
    func look(into name: String, isAsked: Bool = false) async throws(CoreError) -> QueueTurn? {
        let (now, store) = (now, dependencies.store)
        let held: QueueRecord?
        do throws(StoreError) {
            held = try await store.holdQueue(name, at: now, until: now + Self.hold)
        } catch { throw CoreError(error) }
        guard let queue = held else { return nil }
        var (turn, place) = (QueueTurn(), queue.place)
        do throws(PortError) {
            let source = try await QueueSource(queue, dependencies)
            place = source.place
            let after = isAsked ? nil : queue.afterRow.flatMap { try? JSONParser.parse($0) }
            turn = await QueueRun(operations: self, source: source, isAsked: isAsked).turn(after: after)
        } catch { turn.problem = error }
        try await note(turn, of: queue, place)
        return turn
    }

    private func note(_ turn: QueueTurn, of queue: QueueRecord, _ place: String?) async throws(CoreError) {
        let (now, by) = (now, "queue/\(queue.name)")
        let interval = (try? QueueSettings(json: queue.settings))?.interval ?? .seconds(300)
        let (problem, after) = (turn.problem.map { Self.sentence($0) }, turn.after?.text)
        let keyless = turn.keyless
        try await record { store throws(StoreError) -> Result<Void, CoreError> in
            try store.updateQueue(queue.name) { record in
                (record.heldUntil, record.runAt, record.problem, record.place) = (nil, now, problem, place)
                record.afterRow = after
                // What is behind is looked at soon, what went wrong is not made worse.
                record.dueAt = now + (after == nil || problem != nil ? interval : min(interval, .seconds(5)))
            }
            if let problem {
                try store.raise(.unreadable(queue, problem), at: now)
            } else {
                try store.resolve(Finding.queueUnreadable, subject: queue.destination, by: by, at: now)
            }
            if keyless > 0 {
                try store.raise(.keyless(queue, keyless), at: now)
            } else if problem == nil {
                try store.resolve(Finding.queueKeyless, subject: queue.destination, by: by, at: now)
            }
            return .success(())
        }
    }

    static func sentence(_ error: any Error) -> String {
        (error as? PortError)?.message ?? (error as? CoreError).map { "\($0)" } ?? "\(error)"
    }
}

extension QueueCredentials {
    /// As they are kept, checked.
    fileprivate func kept(_ settings: QueueSettings, _ dependencies: Dependencies) throws(CoreError) -> JSONObject {
        var kept: JSONObject = [
            "tables": .object(try checked(tables, QueueSource.tablesKind, "tables", dependencies)),
            "settings": .object(settings.json), "private": .bool(allowsPrivate),
        ]
        if let matomo {
            kept["matomo"] = .object(try checked(matomo, QueueSource.analyticsKind, "matomo", dependencies))
        }
        return kept
    }

    private func checked(
        _ settings: JSONObject, _ kind: String, _ path: String, _ dependencies: Dependencies
    ) throws(CoreError) -> JSONObject {
        guard let known = dependencies.integrations.kind(kind) else {
            throw .conflict("this version knows no integrations of the kind \(kind)")
        }
        return try known.checked(settings, path)
    }
}

extension QueueSettings {
    /// As `init(json:)` reads them.
    package var json: JSONObject {
        var json: JSONObject = [
            "tables": .string(tables ?? QueueSource.tablesKind), "plan": .string(plan), "customer": .string(customer),
            "labels": .strings(labels), "adopt": adopts ? "same_user" : "none",
            "sites": [
                "table": .string(sites.table), "key": .string(sites.key), "domain": .string(sites.domain),
                "status_dns": .string(sites.statusDNS), "status_hosting": .string(sites.statusHosting),
                "hosting_doc_root": .string(sites.docRoot), "matomo_site_id": .string(sites.matomoSiteID),
                "error_message": .string(sites.errorMessage),
            ],
            "servers": [
                "use": .bool(servers.isUsed), "table": .string(servers.table), "address": .string(servers.address),
            ],
            "interval_s": .integer(interval.components.seconds),
        ]
        var values: JSONObject = [
            "ready": .string(words.ready), "pending": .string(words.pending), "active": .string(words.active),
            "failed": .string(words.failed),
        ]
        values["claimed"] = words.claimed.map { .string($0) }
        json["values"] = .object(values)
        json["analytics"] = analytics.map { .string($0) }
        json["matomo"] = matomo.map {
            ["table": .string($0.table), "url": .string($0.url), "token": .string($0.token)]
        }
        return json
    }
}

extension Finding {
    static let queueUnreadable = "queue.unreadable"
    static let queueKeyless = "queue.bad_rows"
    static let queueRefused = "queue.write_refused"
    static let queueDead = "queue.dead_letters"
    static let queueRowChanged = "queue.row_changed"

    fileprivate static func unreadable(_ queue: QueueRecord, _ problem: String) -> Finding {
        Finding(
            queueUnreadable, subject: queue.destination, .error,
            summary: "Queue \(queue.name) takes nothing new: \(problem.capped(to: 500)).",
            remedy: "Mend what it says, then look at once with innctl queue run \(queue.name).")
    }

    fileprivate static func keyless(_ queue: QueueRecord, _ count: Int) -> Finding {
        Finding(
            queueKeyless, subject: queue.destination, .warning,
            summary: "\(count) rows of queue \(queue.name) have no key by which they could be told anything, and stay.",
            remedy: "The key of a row must be a whole number or a text of 1 to 128 characters that show.")
    }
}
