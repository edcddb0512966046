import CLibSQLite
import Glibc
package import SQL

extension SQLiteDatabase {
    static func open(_ path: String, _ options: SQLiteOptions) throws(SQLError) -> OpaquePointer? {
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw SQLError(kind: .cannotOpen, message: "not a file name: \(path.debugDescription)")
        }
        if options.access == .readWriteCreate, path != ":memory:" { createPrivately(path) }
        var handle: OpaquePointer?
        // No mutex: the type is not Sendable, so one connection is never used from two threads.
        let flags = options.access.flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        guard Checksums.registration == SQLITE_OK else {
            throw SQLError(code: Checksums.registration, on: nil, sql: nil).naming(path)
        }
        let code = sqlite3_open_v2(path, &handle, flags, INNKEEPER_SQLITE_VFS)
        guard code == SQLITE_OK else {
            defer { sqlite3_close_v2(handle) }
            throw SQLError(code: code, on: handle, sql: nil).naming(path)
        }
        return handle
    }

    /// A file made by SQLite would follow the umask. When this fails, SQLite's own open says why.
    private static func createPrivately(_ path: String) {
        let file = Glibc.open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        if file >= 0 { Glibc.close(file) }
    }

    func configure(_ options: SQLiteOptions) throws(SQLError) {
        do throws(SQLError) {
            try applyLimits(options)
            try applyJournal(options)
            if options.quickCheck { try quickCheck() }
        } catch {
            throw error.naming(path)
        }
    }

    private func applyLimits(_ options: SQLiteOptions) throws(SQLError) {
        let connection = try connection()
        sqlite3_busy_timeout(connection, options.busyTimeout.milliseconds)
        let code = innkeeper_sqlite_defensive(connection)
        guard code == SQLITE_OK else { throw SQLError(code: code, on: connection, sql: nil) }
        if options.access == .readWriteCreate { _ = innkeeper_sqlite_reserve_checksums(connection) }
        try execute("PRAGMA foreign_keys = ON; PRAGMA cache_size = -\(max(options.cacheKiB, 64))")
        if let pages = options.maximumPages { try execute("PRAGMA max_page_count = \(pages)") }
    }

    private func applyJournal(_ options: SQLiteOptions) throws(SQLError) {
        try execute("PRAGMA synchronous = \(options.synchronous.rawValue)")
        // The first read of the file: damage and foreign files show here.
        guard options.access != .readOnly else { return try execute("SELECT count(*) FROM sqlite_schema") }
        _ = try first("PRAGMA journal_mode = WAL") { (row) throws(SQLError) in try row.text() }
        try execute("PRAGMA journal_size_limit = 67108864")
    }

    /// Reads the whole file, or one table with its indexes, and throws `corrupt` with the first finding.
    package func quickCheck(table: String? = nil) throws(SQLError) {
        let sql = table.map { "PRAGMA quick_check('\($0.filter { $0 != "'" })')" } ?? "PRAGMA quick_check(1)"
        let finding = try first(sql) { (row) throws(SQLError) in try row.text() }
        guard let finding, finding != "ok" else { return }
        let sentence = finding.split(separator: "\n").joined(separator: " ")
        throw SQLError(kind: .corrupt, message: sentence)
    }
}

extension SQLiteOptions.Access {
    fileprivate var flags: Int32 {
        switch self {
        case .readWriteCreate: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        case .readWrite: SQLITE_OPEN_READWRITE
        case .readOnly: SQLITE_OPEN_READONLY
        }
    }
}

extension Duration {
    fileprivate var milliseconds: Int32 {
        let (seconds, attoseconds) = components
        return Int32(clamping: seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    }
}
