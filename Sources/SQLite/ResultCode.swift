import CLibSQLite
import Glibc
import SQL

extension SQLError {
    /// The error of `code` as the connection last reported it.
    init(code: Int32, on connection: OpaquePointer?, sql: String?) {
        var message = connection.map { String(cString: sqlite3_errmsg($0)) } ?? String(cString: sqlite3_errstr(code))
        if code == Self.badSum { message = "a page of the file does not match its checksum" }
        let system = connection.map { sqlite3_system_errno($0) } ?? 0
        self.init(
            kind: Self.kind(of: code, system: system, message: message), code: "SQLite \(code)", message: message,
            sql: sql)
    }

    private static var badSum: Int32 { Int32(INNKEEPER_SQLITE_BAD_SUM) }

    private static func kind(of code: Int32, system: Int32, message: String) -> Kind {
        switch code & 0xff {
        case SQLITE_FULL: .full
        case SQLITE_CORRUPT: .corrupt
        case SQLITE_NOTADB: .notADatabase
        case SQLITE_BUSY, SQLITE_LOCKED: .busy
        case SQLITE_READONLY: .readOnly
        case SQLITE_CONSTRAINT: constraint(of: code, message)
        case SQLITE_CANTOPEN, SQLITE_PERM, SQLITE_AUTH: .cannotOpen
        // A quota or a file size limit reaches SQLite as a failed write, only the errno tells.
        case SQLITE_IOERR where code == badSum: .corrupt
        case SQLITE_IOERR: [ENOSPC, EDQUOT, EFBIG].contains(system) ? .full : .inputOutput
        case SQLITE_TOOBIG: .tooBig
        case SQLITE_NOMEM: .outOfMemory
        case SQLITE_INTERRUPT: .interrupted
        case SQLITE_MISMATCH: .mismatch
        case SQLITE_MISUSE, SQLITE_RANGE: .misuse
        default: .other
        }
    }

    private static func constraint(of code: Int32, _ message: String) -> Kind {
        let (table, columns) = columns(in: message)
        return .constraint(constraint(of: code), table: table, columns: columns)
    }

    private static func constraint(of code: Int32) -> Constraint {
        // The extended codes are macros with shifts that Swift does not import: SQLITE_CONSTRAINT | (n << 8).
        switch code >> 8 {
        case 1: .check
        case 3: .foreignKey
        case 5: .notNull
        case 6, 10: .primaryKey
        case 8: .unique
        default: .other
        }
    }

    /// "UNIQUE constraint failed: services.external_id, services.scope" names table and columns after the first colon; a
    /// check has its own text there.
    private static func columns(in message: String) -> (table: String, columns: [String]) {
        guard let colon = message.firstIndex(of: ":") else { return ("", []) }
        let names = message[message.index(after: colon)...].split(separator: ",")
            .map { $0.drop(while: { $0 == " " }).split(separator: ".") }
        guard let table = names.first?.first, names.allSatisfy({ $0.count == 2 && $0[0] == table }) else {
            return ("", [])
        }
        return (String(table), names.map { String($0[1]) })
    }
}
