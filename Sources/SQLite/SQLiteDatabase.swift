import CLibSQLite
package import SQL

/// One connection to an SQLite file. It is not `Sendable`: keep it inside one actor or one thread.
///
/// Statements are prepared once and kept by their text. Every misuse (a closed connection, a wrong count of values, a
/// nested use of the same statement) is either handled or thrown as `SQLError`, never a trap.
package final class SQLiteDatabase {
    package let path: String
    private let shared: SQLiteConnection
    private var handle: OpaquePointer? { shared.handle }
    /// Statements not in use, by their text. Borrowing removes one, so that nested use of one text prepares a second.
    private var idle: [String: SQLiteStatement] = [:]
    private var depth = 0
    private static let idleLimit = 256

    /// Opens or creates the file. A new file gets mode 0600, which SQLite passes on to its journal files.
    package init(path: String, options: SQLiteOptions = SQLiteOptions()) throws(SQLError) {
        self.path = path
        shared = SQLiteConnection(try Self.open(path, options))
        do throws(SQLError) {
            try configure(options)
        } catch {
            close()
            throw error
        }
    }

    /// The target of a backup: as SQLite opens it, without a journal mode of its own.
    init(copyAt path: String) throws(SQLError) {
        self.path = path
        shared = SQLiteConnection(try Self.open(path, SQLiteOptions(access: .readWriteCreate)))
    }

    deinit { close() }

    /// Ends the connection; a transaction that is open is rolled back. Later calls throw `closed`.
    package func close() {
        for statement in idle.values { statement.finalize() }
        idle = [:]
        // close_v2 waits for statements that a caller still holds.
        sqlite3_close_v2(handle)
        shared.handle = nil
    }

    /// Runs a script of any number of statements without values.
    package func execute(_ script: String) throws(SQLError) {
        let code = sqlite3_exec(try connection(), script, nil, nil, nil)
        guard code == SQLITE_OK else { throw SQLError(code: code, on: handle, sql: script) }
    }

    /// A statement of the caller's own, for loops. `run` and `query` keep theirs in the connection's cache.
    package func prepare(_ sql: String) throws(SQLError) -> SQLiteStatement {
        try SQLiteStatement(sql, on: shared)
    }

    /// Runs one statement. Returns how many rows it inserted, updated or deleted.
    @discardableResult
    package func run(_ sql: String, _ values: [any SQLBindable] = []) throws(SQLError) -> Int {
        try using(sql) { (statement) throws(SQLError) in try statement.run(values) }
    }

    /// Every row of the answer, as `read` makes of it.
    package func query<Record>(
        _ sql: String, _ values: [any SQLBindable] = [],
        _ read: (inout SQLiteRow) throws(SQLError) -> Record
    ) throws(SQLError) -> [Record] {
        var records: [Record] = []
        try using(sql) { (statement) throws(SQLError) in
            try statement.query(values) { (row: inout SQLiteRow) throws(SQLError) in records.append(try read(&row)) }
        }
        return records
    }

    /// The first row of the answer, nil when there is none.
    package func first<Record>(
        _ sql: String, _ values: [any SQLBindable] = [],
        _ read: (inout SQLiteRow) throws(SQLError) -> Record
    ) throws(SQLError) -> Record? {
        try query(sql, values, read).first
    }

    /// Bytes that SQLite holds in this process, over all connections.
    package static var memoryInUse: Int64 { sqlite3_memory_used() }

    func connection() throws(SQLError) -> OpaquePointer { try shared.open() }

    func using<Value>(
        _ sql: String, _ body: (SQLiteStatement) throws(SQLError) -> Value
    ) throws(SQLError) -> Value {
        let statement = try borrow(sql)
        defer { giveBack(statement) }
        return try body(statement)
    }

    private func borrow(_ sql: String) throws(SQLError) -> SQLiteStatement {
        // SQLite ends a transaction by itself after some errors. Whoever caught such an error and goes on would write
        // outside of any transaction.
        if depth > 0, handle != nil, !isInTransaction {
            throw SQLError(kind: .misuse, message: "the transaction was rolled back by an earlier error", sql: sql)
        }
        if let statement = idle.removeValue(forKey: sql) { return statement }
        return try prepare(sql)
    }

    private func giveBack(_ statement: SQLiteStatement) {
        guard handle != nil, idle.count < Self.idleLimit, idle[statement.sql] == nil else {
            return statement.finalize()
        }
        idle[statement.sql] = statement
    }
}

extension SQLiteDatabase {
    /// Runs `body` in one transaction that takes the write lock at once; commits when it returns, rolls back when it
    /// throws. Inside another transaction it is a savepoint: a thrown error undoes the inner part only.
    package func transaction<Value>(_ body: () throws(SQLError) -> Value) throws(SQLError) -> Value {
        try transaction(throwing: SQLError.self, body)
    }

    /// The same for a body with an error type of its own.
    package func transaction<Value, E: SQLFailure>(
        throwing: E.Type, _ body: () throws(E) -> Value
    ) throws(E) -> Value {
        let (begin, commit, undo) = Self.words(depth)
        do throws(SQLError) { try run(begin) } catch { throw E(error) }
        depth += 1
        defer { depth -= 1 }
        do throws(E) {
            let value = try body()
            do throws(SQLError) { try run(commit) } catch { throw E(error) }
            return value
        } catch {
            rollBack(undo)
            throw error
        }
    }

    /// A transaction is open.
    package var isInTransaction: Bool { handle.map { sqlite3_get_autocommit($0) == 0 } ?? false }

    private static func words(_ depth: Int) -> (begin: String, commit: String, undo: [String]) {
        guard depth > 0 else { return ("BEGIN IMMEDIATE", "COMMIT", ["ROLLBACK"]) }
        let name = "level\(depth)"
        return ("SAVEPOINT \(name)", "RELEASE \(name)", ["ROLLBACK TO \(name)", "RELEASE \(name)"])
    }

    private func rollBack(_ words: [String]) {
        // SQLite has already rolled back by itself after some errors (a full disk, for one): then there is nothing
        // to undo, and the body's own error is the one to report.
        guard isInTransaction else { return }
        for word in words { _ = try? run(word) }
    }
}
