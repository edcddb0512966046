import CLibSQLite

/// The row under the cursor. Each call takes the next column, in the order of the SELECT list, and throws `mismatch`
/// when the stored value has another type: a damaged or foreign row is an error, never a default.
package struct SQLiteRow {
    let statement: SQLiteStatement
    private var index: Int32 = 0

    init(statement: SQLiteStatement) { self.statement = statement }

    package mutating func integer() throws(SQLiteError) -> Int64 {
        let value = try optionalInteger()
        return try required("an integer", value)
    }

    package mutating func int() throws(SQLiteError) -> Int { Int(try integer()) }

    package mutating func real() throws(SQLiteError) -> Double {
        let value = try optionalReal()
        return try required("a number", value)
    }

    package mutating func text() throws(SQLiteError) -> String {
        let value = try optionalText()
        return try required("text", value)
    }

    package mutating func blob() throws(SQLiteError) -> [UInt8] {
        let value = try optionalBlob()
        return try required("bytes", value)
    }

    /// 0 is false, any other integer is true.
    package mutating func bool() throws(SQLiteError) -> Bool { try integer() != 0 }

    package mutating func optionalInteger() throws(SQLiteError) -> Int64? {
        guard let column = try next("an integer", [SQLITE_INTEGER]) else { return nil }
        return sqlite3_column_int64(statement.handle, column)
    }

    package mutating func optionalReal() throws(SQLiteError) -> Double? {
        guard let column = try next("a number", [SQLITE_FLOAT, SQLITE_INTEGER]) else { return nil }
        return sqlite3_column_double(statement.handle, column)
    }

    package mutating func optionalText() throws(SQLiteError) -> String? {
        guard let column = try next("text", [SQLITE_TEXT]) else { return nil }
        guard let text = sqlite3_column_text(statement.handle, column) else { throw outOfMemory() }
        let count = Int(sqlite3_column_bytes(statement.handle, column))
        return String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self)
    }

    package mutating func optionalBlob() throws(SQLiteError) -> [UInt8]? {
        guard let column = try next("bytes", [SQLITE_BLOB]) else { return nil }
        let count = Int(sqlite3_column_bytes(statement.handle, column))
        guard count > 0 else { return [] }
        guard let bytes = sqlite3_column_blob(statement.handle, column) else { throw outOfMemory() }
        return [UInt8](UnsafeRawBufferPointer(start: bytes, count: count))
    }

    /// The next column's index, nil for NULL.
    private mutating func next(_ wanted: String, _ types: [Int32]) throws(SQLiteError) -> Int32? {
        guard let handle = statement.handle, index < sqlite3_data_count(handle) else {
            throw SQLiteError(kind: .mismatch, message: "there is no column \(index)", sql: statement.sql)
        }
        defer { index += 1 }
        let type = sqlite3_column_type(handle, index)
        if type == SQLITE_NULL { return nil }
        guard types.contains(type) else { throw mismatch(wanted, at: index) }
        return index
    }

    /// `value` is taken before the call, so that `index` stands behind its column.
    private func required<Value>(_ wanted: String, _ value: Value?) throws(SQLiteError) -> Value {
        guard let value else { throw mismatch(wanted, at: index - 1) }
        return value
    }

    private func mismatch(_ wanted: String, at column: Int32) -> SQLiteError {
        let name = sqlite3_column_name(statement.handle, column).map { String(cString: $0) } ?? "\(column)"
        return SQLiteError(kind: .mismatch, message: "column \(name) holds no \(wanted)", sql: statement.sql)
    }

    private func outOfMemory() -> SQLiteError {
        SQLiteError(kind: .outOfMemory, code: SQLITE_NOMEM, message: "out of memory", sql: statement.sql)
    }
}
