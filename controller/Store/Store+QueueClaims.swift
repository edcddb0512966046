package import Model
import SQL

/// Which claims are wanted; nil means any.
package struct QueueClaimFilter: Sendable, Hashable {
    package var queue: String?
    package var request: String?
    package var state: QueueClaimRecord.State?

    package init(queue: String? = nil, request: String? = nil, state: QueueClaimRecord.State? = nil) {
        (self.queue, self.request, self.state) = (queue, request, state)
    }
}

extension Store {
    /// Throws `conflict` where the row is taken.
    package func insertClaim(_ record: QueueClaimRecord) throws(StoreError) {
        try transaction { () throws(StoreError) in try insert(record) }
    }

    package func claim(_ id: String) throws(StoreError) -> QueueClaimRecord? {
        try first(QueueClaimRecord.self, "WHERE id = ?", [id])
    }

    /// The newest of a row; only that may be open.
    package func newestClaim(ofRow row: String, in place: String) throws(StoreError) -> QueueClaimRecord? {
        let rest = "WHERE place = ? AND row_key = ? ORDER BY finished_at IS NULL DESC, id DESC LIMIT 1"
        return try first(QueueClaimRecord.self, rest, [place, row])
    }

    package func claims(
        _ filter: QueueClaimFilter = QueueClaimFilter(), page request: PageRequest = PageRequest(order: .descending)
    ) throws(StoreError) -> Page<QueueClaimRecord> {
        var conditions = Conditions()
        conditions.equal("queue", filter.queue)
        conditions.equal("request", filter.request)
        conditions.equal("state", filter.state?.rawValue)
        return try page(QueueClaimRecord.self, conditions, request, cursor: \.id)
    }

    /// Those that are to be looked at, the longest overdue first.
    package func claims(dueBy time: Timestamp, limit: Int) throws(StoreError) -> [QueueClaimRecord] {
        let rest = "WHERE state IN ('working', 'watching') AND due_at <= ? ORDER BY due_at, id LIMIT ?"
        return try select(QueueClaimRecord.self, rest, [time, limit])
    }

    /// How many of a queue's are in each state.
    package func claimCounts(queue: String) throws(StoreError) -> [QueueClaimRecord.State: Int] {
        let sql = "SELECT state, count(*) FROM queue_claims WHERE queue = ? GROUP BY state"
        let counts = try rows(sql, [queue]) { (row) throws(SQLError) in
            (try row.named() as QueueClaimRecord.State, try row.int())
        }
        return Dictionary(counts, uniquingKeysWith: { first, _ in first })
    }

    /// Reads, changes and writes one. Returns it as it is afterwards; nil where there is none.
    @discardableResult
    package func updateClaim(
        _ id: String, _ change: @Sendable (inout QueueClaimRecord) -> Void
    ) throws(StoreError) -> QueueClaimRecord? {
        try transaction { () throws(StoreError) in
            guard var record = try claim(id) else { return nil }
            change(&record)
            record.id = id
            record.problem = record.problem?.capped(to: 300)
            try overwrite(record)
            return record
        }
    }

    /// Whether a message about a subject waits for a destination.
    package func hasWaiting(about subject: String, for destination: String) throws(StoreError) -> Bool {
        let sql = "SELECT 1 FROM outbox WHERE destination = ? AND subject = ? AND state = 'waiting' LIMIT 1"
        return try row(sql, [destination, subject]) { (row) throws(SQLError) in try row.integer() } != nil
    }

    /// Gives up what waits about a subject.
    package func giveUp(
        messagesAbout subject: String, to destination: String, because problem: String, at time: Timestamp
    ) throws(StoreError) {
        let sql = """
            UPDATE outbox SET state = 'dead', finished_at = ?, problem = ?
            WHERE destination = ? AND subject = ? AND state = 'waiting'
            """
        _ = try transaction { () throws(StoreError) in
            try run(sql, [time, problem.capped(to: 300), destination, subject])
        }
    }

    /// Tries again what was given up about a subject. Returns how many.
    package func replay(messagesAbout subject: String, to destination: String, at time: Timestamp) throws(StoreError)
        -> Int
    {
        let sql = """
            UPDATE outbox SET state = 'waiting', finished_at = NULL, attempts = 0, due_at = ?
            WHERE destination = ? AND subject = ? AND state = 'dead'
            """
        return try transaction { () throws(StoreError) in try run(sql, [time, destination, subject]) }
    }

    /// Removes claims that ended before `time`, and requests of which nothing is left. Returns how many.
    package func pruneClaims(before time: Timestamp, limit: Int = 5000) throws(StoreError) -> Int {
        let claims = """
            DELETE FROM queue_claims WHERE id IN (
                SELECT id FROM queue_claims WHERE finished_at < ? ORDER BY finished_at LIMIT ?)
            """
        let requests = """
            DELETE FROM queue_requests WHERE id IN (
                SELECT id FROM queue_requests WHERE erased_at < ? AND NOT EXISTS (
                    SELECT 1 FROM queue_claims WHERE request = queue_requests.id) LIMIT ?)
            """
        return try transaction { () throws(StoreError) in
            try run(claims, [time, limit]) + run(requests, [time, limit])
        }
    }
}
