import SQL

/// The store's connection: statements with the store's own error type, transactions within transactions, and what these
/// have to tell once they are committed. Not `Sendable`: it stays inside its store.
final class Database {
    private let connection: any SQLConnection
    private let seal: ColumnSeal?
    private let publish: ([Change]) -> Void
    /// Changes of the transaction that is open.
    private var pending: [Change] = []
    private var depth = 0
    private(set) var effort = EffortMeter()

    /// - Parameters:
    ///   - seal: of the columns that lie sealed.
    ///   - publish: told what a transaction has changed, after its commit.
    init(_ connection: any SQLConnection, seal: ColumnSeal?, publish: @escaping ([Change]) -> Void) {
        (self.connection, self.seal, self.publish) = (connection, seal, publish)
    }

    /// Names the key that new rows are sealed with; nil where they lie in clear.
    var sealKey: String? { seal?.key }

    /// Ends the use of the connection. Later calls throw `closed`.
    func finish() { connection.finish() }

    /// Takes what deleted and overwritten rows have left out of the files.
    func clearRemains() throws(StoreError) { try translated { () throws(SQLError) in try connection.clearRemains() } }

    private func translated<Value>(_ body: () throws(SQLError) -> Value) throws(StoreError) -> Value {
        do throws(SQLError) { return try body() } catch { throw StoreError(error) }
    }
}

// MARK: transactions

extension Database {
    /// Inside another transaction only the inner changes are undone when it throws.
    func transaction<Value>(_ body: () throws(StoreError) -> Value) throws(StoreError) -> Value {
        let mark = pending.count
        depth += 1
        if depth == 1 { effort.begin() }
        defer {
            depth -= 1
            if depth == 0 { effort.end() }
        }
        do throws(StoreError) {
            let value = try connection.transaction(throwing: StoreError.self, body)
            if depth == 1 { tell() }
            return value
        } catch {
            pending.removeSubrange(mark...)
            throw error
        }
    }

    /// A transaction that is not synced by itself: a killed process loses nothing of it, a power cut may. Only for what
    /// the journal lets us write again.
    func unsynced<Value>(_ body: () throws(StoreError) -> Value) throws(StoreError) -> Value {
        guard depth == 0 else { return try transaction(body) }
        try translated { () throws(SQLError) in try connection.awaitDisk(false) }
        let result = Result { () throws(StoreError) in try transaction(body) }
        try translated { () throws(SQLError) in try connection.awaitDisk(true) }
        return try result.get()
    }

    /// To be told after the commit. Call it inside `transaction`.
    func note(_ change: Change) {
        // One operation may write many lines in one transaction: readers need to hear of it once.
        if pending.last != change { pending.append(change) }
    }

    private func tell() {
        let changes = pending
        pending = []
        publish(changes)
    }

    func forgetPeakEffort() { effort.forgetPeak() }
}

// MARK: statements

extension Database {
    @discardableResult
    func run(_ sql: String, _ values: [any SQLBindable] = []) throws(StoreError) -> Int {
        let changed = try translated { () throws(SQLError) in try connection.run(sql, values) }
        effort.count(rows: changed)
        return changed
    }

    func rows<Value>(
        _ sql: String, _ values: [any SQLBindable] = [],
        _ read: (inout any SQLRow) throws(SQLError) -> Value
    ) throws(StoreError) -> [Value] {
        effort.count(rows: 0)
        return try translated { () throws(SQLError) in try connection.rows(sql, values, read) }
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
        for row in found { opened.append(try row.opened(with: seal)) }
        return opened
    }

    func insert(_ record: some Record) throws(StoreError) {
        try run(type(of: record).insertion, record.sealed(with: seal).values)
    }

    /// False, and nothing is written, where there is one with this key.
    func insertNew<Row: Record>(_ record: Row) throws(StoreError) -> Bool {
        let sql = "\(Row.insertion) ON CONFLICT (\(Row.key.joined(separator: ", "))) DO NOTHING"
        return try run(sql, record.sealed(with: seal).values) > 0
    }

    func upsert(_ record: some Record) throws(StoreError) {
        try run(type(of: record).upsertion, record.sealed(with: seal).values)
    }

    /// Writes the whole row. False when there is none with this key.
    func overwrite(_ record: some Record) throws(StoreError) -> Bool {
        try run(type(of: record).update, record.sealed(with: seal).updateValues) > 0
    }
}
