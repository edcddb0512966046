import CLibSQLite
package import SQL

/// A prepared statement. It belongs to its connection and is used where the connection is used; after the connection
/// closed, every use throws `closed`.
package final class SQLiteStatement {
    package let sql: String
    private(set) var handle: OpaquePointer?
    private let connection: SQLiteConnection
    /// A row is being read; a second use must take another statement.
    private(set) var isRunning = false

    init(_ sql: String, on connection: SQLiteConnection) throws(SQLError) {
        self.sql = sql
        self.connection = connection
        let database = try connection.open()
        var statement: OpaquePointer?
        var rest = 0
        let code = sql.withCString { text in
            var tail: UnsafePointer<CChar>?
            let code = sqlite3_prepare_v3(database, text, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, &tail)
            rest = tail.map { String(cString: $0).filter { !$0.isWhitespace && $0 != ";" }.count } ?? 0
            return code
        }
        guard code == SQLITE_OK else { throw SQLError(code: code, on: database, sql: sql) }
        handle = statement
        guard statement != nil, rest == 0 else {
            finalize()
            throw SQLError(kind: .misuse, message: "expected exactly one statement", sql: sql)
        }
    }

    deinit { finalize() }

    func finalize() {
        sqlite3_finalize(handle)
        handle = nil
    }

    /// Runs the statement to its end. Returns how many rows an INSERT, UPDATE or DELETE changed.
    @discardableResult
    package func run(_ values: [any SQLBindable] = []) throws(SQLError) -> Int {
        try query(values) { (_: inout SQLiteRow) throws(SQLError) in }
        return Int(sqlite3_changes64(try connection.open()))
    }

    /// Runs the statement and hands each row to `read`.
    package func query(
        _ values: [any SQLBindable] = [], _ read: (inout SQLiteRow) throws(SQLError) -> Void
    ) throws(SQLError) {
        try start(values)
        defer { stop() }
        while try step() {
            var row = SQLiteRow(statement: self)
            try read(&row)
        }
    }

    private func start(_ values: [any SQLBindable]) throws(SQLError) {
        _ = try connection.open()
        guard let handle, !isRunning else {
            throw SQLError(kind: .misuse, message: "the statement is being read", sql: sql)
        }
        isRunning = true
        do throws(SQLError) {
            try bind(values, to: handle)
        } catch {
            stop()
            throw error
        }
    }

    private func step() throws(SQLError) -> Bool {
        let database = try connection.open()
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code: throw SQLError(code: code, on: database, sql: sql)
        }
    }

    private func stop() {
        isRunning = false
        guard let handle else { return }
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
    }
}

extension SQLiteStatement {
    private func bind(_ values: [any SQLBindable], to handle: OpaquePointer) throws(SQLError) {
        let wanted = Int(sqlite3_bind_parameter_count(handle))
        guard values.count == wanted else {
            let message = "the statement has \(wanted) parameters, \(values.count) values were given"
            throw SQLError(kind: .misuse, message: message, sql: sql)
        }
        for (index, value) in values.enumerated() {
            let code = bind(value.sqlValue, at: Int32(index + 1), to: handle)
            guard code == SQLITE_OK else { throw SQLError(code: code, on: try connection.open(), sql: sql) }
        }
    }

    private func bind(_ value: SQLValue, at index: Int32, to handle: OpaquePointer) -> Int32 {
        switch value {
        case .null: return sqlite3_bind_null(handle, index)
        case .integer(let value): return sqlite3_bind_int64(handle, index, value)
        case .real(let value): return sqlite3_bind_double(handle, index, value)
        case .text(var value):
            return value.withUTF8 { text in
                text.withMemoryRebound(to: CChar.self) { text in
                    // An empty string has no address, and a null address would bind NULL.
                    guard let base = text.baseAddress else { return innkeeper_sqlite_bind_text(handle, index, "", 0) }
                    return innkeeper_sqlite_bind_text(handle, index, base, UInt64(text.count))
                }
            }
        case .blob(let value):
            return value.withUnsafeBytes { bytes in
                innkeeper_sqlite_bind_blob(handle, index, bytes.baseAddress, UInt64(bytes.count))
            }
        }
    }
}

/// What a database and its statements share: the C connection until it is closed.
final class SQLiteConnection {
    var handle: OpaquePointer?

    init(_ handle: OpaquePointer?) { self.handle = handle }

    func open() throws(SQLError) -> OpaquePointer {
        guard let handle else { throw SQLError(kind: .closed, message: "the connection is closed") }
        return handle
    }
}
