import SQL

/// What every noun asks of the database.
extension Store {
    func transaction<Value>(_ body: () throws(StoreError) -> Value) throws(StoreError) -> Value {
        try database.transaction(body)
    }

    /// Tells the feed after the commit. Call it inside `transaction`.
    func note(_ kind: Change.Kind, _ id: String, service: String? = nil, node: String? = nil) {
        database.note(Change(kind: kind, id: id, service: service, node: node))
    }

    @discardableResult
    func run(_ sql: String, _ values: [any SQLBindable] = []) throws(StoreError) -> Int {
        try database.run(sql, values)
    }

    func rows<Value>(
        _ sql: String, _ values: [any SQLBindable] = [],
        _ read: (inout any SQLRow) throws(SQLError) -> Value
    ) throws(StoreError) -> [Value] {
        try database.rows(sql, values, read)
    }

    func row<Value>(
        _ sql: String, _ values: [any SQLBindable] = [],
        _ read: (inout any SQLRow) throws(SQLError) -> Value
    ) throws(StoreError) -> Value? {
        try database.row(sql, values, read)
    }

    func select<Row: Record>(
        _ type: Row.Type, _ rest: String, _ values: [any SQLBindable] = []
    ) throws(StoreError) -> [Row] {
        try database.select(type, rest, values)
    }

    func first<Row: Record>(
        _ type: Row.Type, _ rest: String, _ values: [any SQLBindable] = []
    ) throws(StoreError) -> Row? {
        try database.select(type, rest, values).first
    }

    func insert(_ record: some Record) throws(StoreError) { try database.insert(record) }

    func upsert(_ record: some Record) throws(StoreError) { try database.upsert(record) }

    /// Writes the whole row. False when there is none with this key.
    @discardableResult
    func overwrite(_ record: some Record) throws(StoreError) -> Bool { try database.overwrite(record) }
}
