import SQL

/// The statements that every noun uses, with the store's own error type.
extension Store {
    @discardableResult
    func run(_ sql: String, _ values: [any SQLBindable] = []) throws(StoreError) -> Int {
        do throws(SQLError) {
            let changed = try database.run(sql, values)
            worked(rows: changed)
            return changed
        } catch { throw StoreError(error) }
    }

    func rows<Value>(
        _ sql: String, _ values: [any SQLBindable] = [],
        _ read: (inout any SQLRow) throws(SQLError) -> Value
    ) throws(StoreError) -> [Value] {
        worked(rows: 0)
        do throws(SQLError) { return try database.rows(sql, values, read) } catch { throw StoreError(error) }
    }

    func row<Value>(
        _ sql: String, _ values: [any SQLBindable] = [],
        _ read: (inout any SQLRow) throws(SQLError) -> Value
    ) throws(StoreError) -> Value? {
        try rows(sql, values, read).first
    }

    func select<Row: Record>(
        _ type: Row.Type, _ rest: String, _ values: [any SQLBindable] = []
    ) throws(StoreError) -> [Row] {
        let found = try rows("\(Row.selection) \(rest)", values) { (row) throws(SQLError) in try Row(row: &row) }
        guard !Row.sealedColumns.isEmpty else { return found }
        var opened: [Row] = []
        for row in found { opened.append(try row.opened(with: columnSeal)) }
        return opened
    }

    func first<Row: Record>(
        _ type: Row.Type, _ rest: String, _ values: [any SQLBindable] = []
    ) throws(StoreError) -> Row? {
        try select(type, rest, values).first
    }

    func insert(_ record: some Record) throws(StoreError) {
        try run(type(of: record).insertion, record.sealed(with: columnSeal).values)
    }

    func upsert(_ record: some Record) throws(StoreError) {
        try run(type(of: record).upsertion, record.sealed(with: columnSeal).values)
    }

    /// Writes the whole row. False when there is none with this key.
    @discardableResult
    func overwrite(_ record: some Record) throws(StoreError) -> Bool {
        try run(type(of: record).update, record.sealed(with: columnSeal).updateValues) > 0
    }
}

/// `WHERE` from the parts that are given, with their values in order.
struct Conditions {
    private(set) var parts: [String] = []
    private(set) var values: [any SQLBindable] = []

    mutating func equal(_ column: String, _ value: (any SQLBindable)?) {
        guard let value else { return }
        add("\(column) = ?", [value])
    }

    mutating func among(_ column: String, _ words: [String]?) {
        guard let words else { return }
        guard !words.isEmpty else { return add("1 = 0", []) }
        add("\(column) IN (\(words.map { _ in "?" }.joined(separator: ", ")))", words)
    }

    mutating func add(_ part: String, _ more: [any SQLBindable]) {
        parts.append(part)
        values += more
    }

    var sql: String { parts.isEmpty ? "" : "WHERE " + parts.joined(separator: " AND ") }
}
