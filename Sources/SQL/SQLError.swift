/// What a database refused and why. `message` is the engine's own sentence; `sql` is the statement's text (never its bound
/// values).
package struct SQLError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Kind: Sendable, Hashable {
        /// No room: the disk, a quota, a file size limit or the page limit.
        case full
        /// What is stored is damaged.
        case corrupt
        /// The file is something else than a database of this engine.
        case notADatabase
        /// Another connection holds the lock and the patience passed.
        case busy
        /// The file, its directory or the connection does not allow writes.
        case readOnly
        /// A constraint of the schema refused the row. The table and its columns where the engine names them, else empty.
        case constraint(Constraint, table: String, columns: [String])
        /// The database could not be opened: missing, a directory, or no permission.
        case cannotOpen
        /// The operating system failed a read, a write or a sync.
        case inputOutput
        /// A value or a statement is larger than the engine accepts.
        case tooBig
        case outOfMemory
        case interrupted
        /// A column holds another type than the reader asked for, or there is no such column.
        case mismatch
        /// The connection was closed before.
        case closed
        /// The caller used the connection wrongly: wrong count of values, several statements in one.
        case misuse
        /// Any other result, a syntax error for example.
        case other
    }

    package enum Constraint: Sendable, Hashable { case unique, primaryKey, notNull, check, foreignKey, other }

    package let kind: Kind
    /// The engine's own code, empty where the error is found above it: SQLite's extended result code, PostgreSQL's SQLSTATE.
    package let code: String
    package let message: String
    package let sql: String?

    package init(kind: Kind, code: String = "", message: String, sql: String? = nil) {
        self.kind = kind
        self.code = code
        self.message = message
        self.sql = sql
    }

    package var isFull: Bool { kind == .full }
    package var isCorrupt: Bool { kind == .corrupt || kind == .notADatabase }
    package var isBusy: Bool { kind == .busy }
    package var isReadOnly: Bool { kind == .readOnly }

    /// Table and columns of a violated uniqueness or primary key constraint, else nil.
    package var duplicate: (table: String, columns: [String])? {
        guard case .constraint(let constraint, let table, let columns) = kind else { return nil }
        return constraint == .unique || constraint == .primaryKey ? (table, columns) : nil
    }

    package var description: String {
        let sentence = code.isEmpty ? message : "\(message) (\(code))"
        guard let sql else { return sentence }
        return "\(sentence) in: \(sql.prefix(200))"
    }

    /// The same error with what it happened to named first, a file for example.
    package func naming(_ subject: String) -> SQLError {
        guard !message.hasPrefix(subject) else { return self }
        return SQLError(kind: kind, code: code, message: "\(subject): \(message)", sql: sql)
    }
}
