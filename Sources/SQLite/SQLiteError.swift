/// What SQLite refused and why. `message` is SQLite's own sentence; `sql` is the statement's text (never its bound values).
package struct SQLiteError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable {
        /// No room: the disk, a quota, a file size limit or the page limit.
        case full
        /// The file is damaged.
        case corrupt
        /// The file is something else than an SQLite database.
        case notADatabase
        /// Another connection holds the lock and the busy timeout passed.
        case busy
        /// The file, its directory or the connection does not allow writes.
        case readOnly
        /// A constraint of the schema refused the row; the columns as "table.column" where SQLite names them.
        case constraint(Constraint, columns: [String])
        /// The file could not be opened: missing, a directory, or no permission.
        case cannotOpen
        /// The operating system failed a read, a write or a sync.
        case inputOutput
        /// A value or a statement is larger than SQLite accepts.
        case tooBig
        case outOfMemory
        case interrupted
        /// A column holds another type than the reader asked for, or there is no such column.
        case mismatch
        /// The caller used the connection wrongly: closed, wrong count of values, several statements in one.
        case misuse
        /// Any other result, a syntax error for example.
        case other
    }

    package enum Constraint: Sendable, Hashable { case unique, primaryKey, notNull, check, foreignKey, other }

    package let kind: Kind
    /// SQLite's extended result code, 0 where the error is found above SQLite.
    package let code: Int32
    package let message: String
    package let sql: String?

    package init(kind: Kind, code: Int32 = 0, message: String, sql: String? = nil) {
        self.kind = kind
        self.code = code
        self.message = message
        self.sql = sql
    }

    package var isFull: Bool { kind == .full }
    package var isCorrupt: Bool { kind == .corrupt || kind == .notADatabase }
    package var isBusy: Bool { kind == .busy }
    package var isReadOnly: Bool { kind == .readOnly }

    /// The columns of a violated uniqueness or primary key constraint, else nil.
    package var duplicateColumns: [String]? {
        guard case .constraint(let constraint, let columns) = kind else { return nil }
        return constraint == .unique || constraint == .primaryKey ? columns : nil
    }

    package var description: String {
        guard let sql else { return "SQLite: \(message) (\(code))" }
        return "SQLite: \(message) (\(code)) in: \(sql.prefix(200))"
    }
}

/// An error type that can carry an `SQLiteError`, so that one transaction body throws one type.
package protocol SQLiteFailure: Error {
    init(_ error: SQLiteError)
}

extension SQLiteError: SQLiteFailure {
    package init(_ error: SQLiteError) { self = error }
}
