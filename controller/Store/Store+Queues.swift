package import Model
import SQL
import WireProtocol

/// Standing queues, and requests that brought their own credentials.
extension Store {
    package func insertQueue(_ record: QueueRecord) throws(StoreError) {
        try transaction { () throws(StoreError) in try insert(record) }
    }

    package func queue(_ name: String) throws(StoreError) -> QueueRecord? {
        try first(QueueRecord.self, "WHERE name = ?", [name])
    }

    /// All of them, by name. There are few: an operator writes each.
    package func queues() throws(StoreError) -> [QueueRecord] { try select(QueueRecord.self, "ORDER BY name") }

    /// Reads, changes and writes one. Returns it as it is afterwards; nil where there is none.
    @discardableResult
    package func updateQueue(
        _ name: String, _ change: @Sendable (inout QueueRecord) -> Void
    ) throws(StoreError) -> QueueRecord? {
        try transaction { () throws(StoreError) in
            guard var record = try queue(name) else { return nil }
            change(&record)
            record.name = name
            record.problem = record.problem?.capped(to: 500)
            try overwrite(record)
            return record
        }
    }

    /// Those whose turn has come and that nobody is at, the longest overdue first.
    package func dueQueues(at time: Timestamp, limit: Int) throws(StoreError) -> [QueueRecord] {
        let rest = """
            WHERE enabled <> 0 AND due_at <= ? AND (held_until IS NULL OR held_until <= ?) ORDER BY due_at, name LIMIT ?
            """
        return try select(QueueRecord.self, rest, [time, time, limit])
    }

    /// Takes one, so that nobody else looks into it until then. Nil where somebody is at it, or there is none.
    package func holdQueue(
        _ name: String, at time: Timestamp, until end: Timestamp
    ) throws(StoreError) -> QueueRecord? {
        let sql = "UPDATE queues SET held_until = ? WHERE name = ? AND (held_until IS NULL OR held_until <= ?)"
        return try transaction { () throws(StoreError) in
            guard try run(sql, [end, name, time]) > 0 else { return nil }
            return try queue(name)
        }
    }

    /// With all that it was still to write; what it made stays.
    package func removeQueue(_ name: String, at time: Timestamp) throws(StoreError) {
        let claims = """
            UPDATE queue_claims SET state = 'dead', finished_at = ?, problem = 'its queue was removed'
            WHERE queue = ? AND finished_at IS NULL
            """
        try transaction { () throws(StoreError) in
            _ = try run(claims, [time, name])
            _ = try run("DELETE FROM outbox WHERE destination = ?", [QueueRecord.destination(name)])
            _ = try run("DELETE FROM queues WHERE name = ?", [name])
        }
    }
}

extension Store {
    package func insertQueueRequest(_ record: QueueRequestRecord) throws(StoreError) {
        try transaction { () throws(StoreError) in try insert(record) }
    }

    package func queueRequest(_ id: String) throws(StoreError) -> QueueRequestRecord? {
        try first(QueueRequestRecord.self, "WHERE id = ?", [id])
    }

    /// Those that are kept longer than they may be.
    package func expiredQueueRequests(at time: Timestamp, limit: Int) throws(StoreError) -> [QueueRequestRecord] {
        let rest = "WHERE erased_at IS NULL AND expires_at <= ? ORDER BY expires_at LIMIT ?"
        return try select(QueueRequestRecord.self, rest, [time, limit])
    }

    /// Erases what a request brought.
    package func eraseQueueRequest(_ id: String, at time: Timestamp) throws(StoreError) {
        let sql = "UPDATE queue_requests SET settings = '{}', erased_at = ? WHERE id = ? AND erased_at IS NULL"
        _ = try transaction { () throws(StoreError) in try run(sql, [time, id]) }
    }

    /// Erases what a request brought once none of its rows needs it any more. True when it is gone.
    @discardableResult
    package func eraseSpentQueueRequest(_ id: String, at time: Timestamp) throws(StoreError) -> Bool {
        try transaction { () throws(StoreError) in
            let sql = "SELECT 1 FROM queue_claims WHERE request = ? AND finished_at IS NULL LIMIT 1"
            let isNeeded = try row(sql, [id]) { (row) throws(SQLError) in try row.integer() } != nil
            guard !isNeeded else { return false }
            try eraseQueueRequest(id, at: time)
            return true
        }
    }
}
