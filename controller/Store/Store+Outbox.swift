package import Model
import SQL

/// Which messages are wanted; nil means any.
package struct OutboxFilter: Sendable, Hashable {
    package var destination: String?
    package var state: OutboxRecord.State?

    package init(destination: String? = nil, state: OutboxRecord.State? = nil) {
        (self.destination, self.state) = (destination, state)
    }
}

extension Store {
    /// Call it in the transaction of the cause.
    package func post(_ message: OutboxRecord) throws(StoreError) {
        try transaction { () throws(StoreError) in try insert(message) }
    }

    package func message(_ id: String) throws(StoreError) -> OutboxRecord? {
        try first(OutboxRecord.self, "WHERE id = ?", [id])
    }

    package func messages(
        _ filter: OutboxFilter, page request: PageRequest = PageRequest(order: .descending)
    ) throws(StoreError) -> Page<OutboxRecord> {
        var conditions = Conditions()
        conditions.equal("destination", filter.destination)
        conditions.equal("state", filter.state?.rawValue)
        return try page(OutboxRecord.self, conditions, request, cursor: \.id)
    }

    /// Whether as many messages as that wait, or are given up, for a destination.
    package func hasMessages(
        _ count: Int, in state: OutboxRecord.State, for destination: String
    ) throws(StoreError) -> Bool {
        let sql = "SELECT 1 FROM outbox WHERE destination = ? AND state = ? ORDER BY id LIMIT 1 OFFSET ?"
        return try row(sql, [destination, state.rawValue, Int64(count - 1)]) { (row) throws(SQLError) in
            try row.integer()
        } != nil
    }

    /// Whether a message of a kind waits for a destination.
    package func hasWaiting(_ kind: String, for destination: String) throws(StoreError) -> Bool {
        let sql = "SELECT 1 FROM outbox WHERE destination = ? AND state = 'waiting' AND kind = ? LIMIT 1"
        return try row(sql, [destination, kind]) { (row) throws(SQLError) in try row.integer() } != nil
    }

    /// Forgets what was given up for a destination beyond so many.
    package func keepNewestDead(_ count: Int, for destination: String) throws(StoreError) {
        let sql = """
            DELETE FROM outbox WHERE id IN (
                SELECT id FROM outbox WHERE destination = ? AND state = 'dead' ORDER BY id DESC LIMIT 1000000 OFFSET ?)
            """
        _ = try transaction { () throws(StoreError) in try run(sql, [destination, count]) }
    }

    /// Where something is due, the longest waiting first, and the customers whose webhooks these are.
    package func dueDestinations(
        at time: Timestamp, limit: Int
    ) throws(StoreError) -> [(destination: String, owner: String?)] {
        let sql = """
            SELECT destination, owner FROM outbox LEFT JOIN webhooks ON destination = 'webhook/' || webhooks.id
            WHERE state = 'waiting' AND due_at <= ?
            GROUP BY destination, owner ORDER BY min(due_at), destination LIMIT ?
            """
        return try rows(sql, [time, limit]) { (row) throws(SQLError) in (try row.text(), try row.optionalText()) }
    }

    /// The oldest that is due and has none about the same subject before it.
    package func nextMessage(to destination: String, at time: Timestamp) throws(StoreError) -> OutboxRecord? {
        let rest = """
            WHERE destination = ? AND state = 'waiting' AND due_at <= ? AND NOT EXISTS (
                SELECT 1 FROM outbox earlier WHERE earlier.destination = outbox.destination
                AND earlier.subject = outbox.subject AND earlier.state = 'waiting' AND earlier.id < outbox.id)
            ORDER BY id LIMIT 1
            """
        return try first(OutboxRecord.self, rest, [destination, time])
    }

    /// What came of an attempt. One that waits no more is left as it is. Returns the message as it is now.
    @discardableResult
    package func note(
        attemptAt id: String, _ change: @Sendable (inout OutboxRecord) -> Void
    ) throws(StoreError) -> OutboxRecord? {
        try transaction { () throws(StoreError) in
            guard var message = try message(id), message.state == .waiting else { return nil }
            message.attempts += 1
            change(&message)
            message.id = id
            message.problem = message.problem?.capped(to: 300)
            try overwrite(message)
            return message
        }
    }

    /// Gives up all that waits for a destination.
    package func giveUp(
        messagesTo destination: String, because problem: String, at time: Timestamp
    ) throws(StoreError) {
        let sql = """
            UPDATE outbox SET state = 'dead', finished_at = ?, problem = ? WHERE destination = ? AND state = 'waiting'
            """
        _ = try transaction { () throws(StoreError) in try run(sql, [time, problem.capped(to: 300), destination]) }
    }

    /// Tries again what was given up: one, or all of a destination. Returns how many.
    package func replay(
        messagesTo destination: String, only id: String? = nil, at time: Timestamp
    ) throws(StoreError) -> Int {
        var conditions = Conditions()
        conditions.equal("destination", destination)
        conditions.equal("state", OutboxRecord.State.dead.rawValue)
        conditions.equal("id", id)
        let sql = "UPDATE outbox SET state = 'waiting', finished_at = NULL, attempts = 0, due_at = ? \(conditions.sql)"
        return try transaction { () throws(StoreError) in try run(sql, [time] + conditions.values) }
    }

    /// Removes what was delivered or given up before `time`. Returns how many.
    package func pruneOutbox(before time: Timestamp, limit: Int = 5000) throws(StoreError) -> Int {
        let sql = """
            DELETE FROM outbox WHERE id IN (
                SELECT id FROM outbox WHERE finished_at < ? ORDER BY finished_at LIMIT ?)
            """
        return try transaction { () throws(StoreError) in try run(sql, [time, limit]) }
    }
}
