package import DriverKit
package import Model
package import SQL
import SQLite
package import WireProtocol

/// One thing to write into the journal.
package enum JournalStep: Sendable, Hashable {
    case admit(ReceiptRequest)
    case begin(id: String, time: Timestamp)
    case finish(id: String, result: CommandResult)
    case acknowledge(id: String, time: Timestamp)
}

/// The receipts and generations on disk. When a call returns, what it wrote survives a power failure.
package actor Journal {
    /// Identity of this journal. It changes only when the one before was lost.
    package nonisolated let epoch: String
    private nonisolated let thread: any SerialExecutor
    let database: SQLiteDatabase
    private let tally: Tally

    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// Opens or makes the journal.
    /// - Throws: `SQLError`; `isCorrupt` when the file is damaged.
    package init(path: String, thread: any SerialExecutor) throws(SQLError) {
        self.thread = thread
        let options = SQLiteOptions(synchronous: .full, quickCheck: true, cacheKiB: 256)
        let database = try SQLiteDatabase(path: path, options: options)
        self.database = database
        do throws(SQLError) {
            // A log that turns out to be damaged is set aside as it is.
            try database.keepLog(true)
            epoch = try database.transaction { () throws(SQLError) in try JournalSchema.prepare(database) }
            try database.addChecksums()
            tally = Tally(of: path, epoch: epoch)
            guard try Self.writes(database) >= tally.count else {
                throw SQLError(kind: .corrupt, message: "receipts that were written are missing")
            }
            try database.keepLog(false)
        } catch { throw error.naming(path) }
    }

    private static func writes(_ database: SQLiteDatabase) throws(SQLError) -> Int64 {
        try database.first("SELECT writes FROM about") { (row) throws(SQLError) in try row.integer() } ?? 0
    }

    /// One transaction, counted.
    private func counted<Value>(_ body: () throws(SQLError) -> Value) throws(SQLError) -> Value {
        let (value, writes) = try database.transaction { () throws(SQLError) in
            let value = try body()
            try database.run("UPDATE about SET writes = writes + 1")
            return (value, try Self.writes(database))
        }
        tally.write(writes)
        return value
    }

    /// Writes the steps in their order and in one transaction, which costs one sync however many they are.
    /// - Returns: an admission for each `admit` step, in order. On an error nothing was written.
    package func write(_ steps: [JournalStep]) throws(SQLError) -> [Admission] {
        try counted { () throws(SQLError) in
            var admissions: [Admission] = []
            for step in steps {
                switch step {
                case .admit(let request): admissions.append(try admit(request))
                case .begin(let id, let time): try begin(id, time)
                case .finish(let id, let result): try finish(id, result)
                case .acknowledge(let id, let time): try acknowledge(id, time)
                }
            }
            return admissions
        }
    }

    package func receipt(_ id: String) throws(SQLError) -> Receipt? { try find(id) }

    /// Ends what the last process left unfinished. Returns how many receipts were ended.
    package func endUnfinished(now: Timestamp) throws(SQLError) -> Int {
        try counted { () throws(SQLError) in
            let sql = "SELECT \(Self.columns) FROM receipts WHERE state IN ('accepted', 'running')"
            let receipts = try database.query(sql) { (row) throws(SQLError) in try Self.read(&row) }
            for receipt in receipts {
                guard let result = ReceiptRules.endAtStart(receipt, now: now) else { continue }
                try finish(receipt.id, result)
            }
            return receipts.count
        }
    }

    /// The newest commands of a driver that did not succeed and that no later success of the same operation on the same
    /// resource has made good. A success of the same millisecond counts as later.
    package func abandoned(of driver: String, limit: Int) throws(SQLError) -> [AbandonedCommand] {
        let sql = """
            SELECT id, receipts.operation, receipts.resource FROM receipts
            LEFT JOIN (
                SELECT operation, resource, max(accepted) AS last FROM receipts
                WHERE driver = ?1 AND state = 'succeeded' GROUP BY operation, resource
            ) AS success ON success.operation = receipts.operation AND success.resource = receipts.resource
            WHERE driver = ?1 AND state IN ('failed', 'cancelled', 'interrupted') AND accepted > coalesce(last, -1)
            ORDER BY accepted DESC LIMIT ?2
            """
        return try database.query(sql, [driver, limit]) { (row) throws(SQLError) in
            let id = try row.text(), operation = try row.text(), resource = try row.text()
            return AbandonedCommand(id: id, action: operation, resource: resource)
        }
    }

    /// Receipts whose result the controller has not stored yet, after the given id, in the order of their ids.
    package func unacknowledged(after id: String = "", limit: Int) throws(SQLError) -> [Receipt] {
        let sql = "SELECT \(Self.columns) FROM receipts WHERE acknowledged IS NULL AND id > ? ORDER BY id LIMIT ?"
        return try database.query(sql, [id, limit]) { (row) throws(SQLError) in try Self.read(&row) }
    }

    /// Forgets acknowledged receipts that are older than `before` or beyond the newest `keep`. Others always stay.
    package func prune(before: Timestamp, keep: Int) throws(SQLError) {
        let oldest =
            "SELECT acknowledged FROM receipts WHERE acknowledged IS NOT NULL ORDER BY acknowledged DESC LIMIT 1 OFFSET ?"
        try database.transaction { () throws(SQLError) in
            let edge = try database.first(oldest, [keep]) { (row) throws(SQLError) in try row.integer() }
            let limit = max(before.milliseconds, edge ?? .min)
            try database.run("DELETE FROM receipts WHERE acknowledged <= ?", [limit])
        }
    }
}
