import CLibSQLite
package import SQL

/// The row under a statement's cursor.
package struct SQLiteRow: SQLRow {
    let statement: SQLiteStatement
    private var index: Int32 = 0

    init(statement: SQLiteStatement) { self.statement = statement }

    package mutating func optionalInteger() throws(SQLError) -> Int64? {
        guard let column = try next("an integer", [SQLITE_INTEGER]) else { return nil }
        return sqlite3_column_int64(statement.handle, column)
    }

    package mutating func optionalReal() throws(SQLError) -> Double? {
        guard let column = try next("a number", [SQLITE_FLOAT, SQLITE_INTEGER]) else { return nil }
        return sqlite3_column_double(statement.handle, column)
    }

    package mutating func optionalText() throws(SQLError) -> String? {
        guard let column = try next("text", [SQLITE_TEXT]) else { return nil }
        guard let text = sqlite3_column_text(statement.handle, column) else { throw outOfMemory() }
        let count = Int(sqlite3_column_bytes(statement.handle, column))
        return String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self)
    }

    package mutating func optionalBlob() throws(SQLError) -> [UInt8]? {
        guard let column = try next("bytes", [SQLITE_BLOB]) else { return nil }
        let count = Int(sqlite3_column_bytes(statement.handle, column))
        guard count > 0 else { return [] }
        guard let bytes = sqlite3_column_blob(statement.handle, column) else { throw outOfMemory() }
        return [UInt8](UnsafeRawBufferPointer(start: bytes, count: count))
    }

    /// The next column's index, nil for NULL.
    private mutating func next(_ wanted: String, _ types: [Int32]) throws(SQLError) -> Int32? {
        guard let handle = statement.handle, index < sqlite3_data_count(handle) else {
            throw SQLError(kind: .mismatch, message: "there is no column \(index)", sql: statement.sql)
        }
        index += 1
        let type = sqlite3_column_type(handle, index - 1)
        if type == SQLITE_NULL { return nil }
        guard types.contains(type) else { throw mismatch(wanted) }
        return index - 1
    }

    package func mismatch(_ wanted: String) -> SQLError {
        let name = sqlite3_column_name(statement.handle, index - 1).map { String(cString: $0) } ?? "\(index - 1)"
        return SQLError(kind: .mismatch, message: "column \(name) holds no \(wanted)", sql: statement.sql)
    }

    private func outOfMemory() -> SQLError {
        SQLError(kind: .outOfMemory, message: "out of memory", sql: statement.sql)
    }
}
