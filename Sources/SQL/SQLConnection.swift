/// One connection to a database of any engine. It is not `Sendable`: keep it inside one actor or one thread.
///
/// Statements are in the dialect that SQLite and PostgreSQL share, with `?` for each value.
package protocol SQLConnection: AnyObject {
    /// Where the words of the engines differ.
    var words: SQLWords { get }

    /// Runs a script of any number of statements without values.
    func execute(_ script: String) throws(SQLError)
    /// Runs one statement. Returns how many rows it inserted, updated or deleted.
    @discardableResult
    func run(_ sql: String, _ values: [any SQLBindable]) throws(SQLError) -> Int
    /// Runs one statement and hands each row of its answer to `read`.
    func each(
        _ sql: String, _ values: [any SQLBindable], _ read: (inout any SQLRow) throws(SQLError) -> Void
    ) throws(SQLError)
    /// Runs `body` in one transaction that no other writer can disturb; commits when it returns, rolls back when it
    /// throws. Inside another transaction it is a savepoint: a thrown error undoes the inner part only.
    func transaction<Value, Failure: SQLFailure>(
        throwing: Failure.Type, _ body: () throws(Failure) -> Value
    ) throws(Failure) -> Value
    /// Whether a commit returns only once it is on the disk, as it is in the beginning. Without, a power failure may take
    /// the last ones back, a killed process none. Not inside a transaction.
    func awaitDisk(_ isAwaited: Bool) throws(SQLError)
    func hasTable(_ name: String) throws(SQLError) -> Bool
    /// Takes what deleted and overwritten rows have left out of the files. Takes as long as the database is large.
    func clearRemains() throws(SQLError)
    /// Ends the use of a database that was found right. Later calls throw `closed`. A connection that is only dropped
    /// leaves behind what a closer look at a damaged database needs.
    func finish()
}

extension SQLConnection {
    @discardableResult
    package func run(_ sql: String) throws(SQLError) -> Int { try run(sql, []) }

    /// Every row of the answer, as `read` makes of it.
    package func rows<Record>(
        _ sql: String, _ values: [any SQLBindable] = [], _ read: (inout any SQLRow) throws(SQLError) -> Record
    ) throws(SQLError) -> [Record] {
        var records: [Record] = []
        try each(sql, values) { (row: inout any SQLRow) throws(SQLError) in records.append(try read(&row)) }
        return records
    }
}

/// Words that SQLite and PostgreSQL do not share.
package struct SQLWords: Sendable {
    /// The type of a column of bytes.
    package var bytes: String

    package init(bytes: String) { self.bytes = bytes }
}

/// An error type that can carry an `SQLError`, so that one transaction body throws one type.
package protocol SQLFailure: Error {
    init(_ error: SQLError)
}

extension SQLError: SQLFailure {
    package init(_ error: SQLError) { self = error }
}
