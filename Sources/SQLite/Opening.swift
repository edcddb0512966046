import CLibSQLite
import Glibc

extension SQLiteDatabase {
    static func open(_ path: String, _ options: SQLiteOptions) throws(SQLiteError) -> OpaquePointer? {
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw SQLiteError(kind: .cannotOpen, message: "not a file name: \(path.debugDescription)")
        }
        if options.access == .readWriteCreate, path != ":memory:" { createPrivately(path) }
        var handle: OpaquePointer?
        // No mutex: the type is not Sendable, so one connection is never used from two threads.
        let flags = options.access.flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        guard Checksums.registration == SQLITE_OK else {
            throw SQLiteError(code: Checksums.registration, on: nil, sql: nil).naming(path)
        }
        let code = sqlite3_open_v2(path, &handle, flags, INNKEEPER_SQLITE_VFS)
        guard code == SQLITE_OK else {
            defer { sqlite3_close_v2(handle) }
            throw SQLiteError(code: code, on: handle, sql: nil).naming(path)
        }
        return handle
    }

    /// A file made by SQLite would follow the umask. When this fails, SQLite's own open says why.
    private static func createPrivately(_ path: String) {
        let file = Glibc.open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0o600)
        if file >= 0 { Glibc.close(file) }
    }

    func configure(_ options: SQLiteOptions) throws(SQLiteError) {
        do throws(SQLiteError) {
            try applyLimits(options)
            try applyJournal(options)
            if options.quickCheck { try quickCheck() }
        } catch {
            throw error.naming(path)
        }
    }

    private func applyLimits(_ options: SQLiteOptions) throws(SQLiteError) {
        let connection = try connection()
        sqlite3_busy_timeout(connection, options.busyTimeout.milliseconds)
        let code = innkeeper_sqlite_defensive(connection)
        guard code == SQLITE_OK else { throw SQLiteError(code: code, on: connection, sql: nil) }
        if options.access == .readWriteCreate { _ = innkeeper_sqlite_reserve_checksums(connection) }
        try execute("PRAGMA foreign_keys = ON; PRAGMA cache_size = -\(max(options.cacheKiB, 64))")
        if let pages = options.maximumPages { try execute("PRAGMA max_page_count = \(pages)") }
    }

    private func applyJournal(_ options: SQLiteOptions) throws(SQLiteError) {
        try execute("PRAGMA synchronous = \(options.synchronous.rawValue)")
        // The first read of the file: damage and foreign files show here.
        guard options.access != .readOnly else { return try execute("SELECT count(*) FROM sqlite_schema") }
        _ = try first("PRAGMA journal_mode = WAL") { (row) throws(SQLiteError) in try row.text() }
        try execute("PRAGMA journal_size_limit = 67108864")
    }

    /// Reads the whole file, or one table with its indexes, and throws `corrupt` with the first finding.
    package func quickCheck(table: String? = nil) throws(SQLiteError) {
        let sql = table.map { "PRAGMA quick_check('\($0.filter { $0 != "'" })')" } ?? "PRAGMA quick_check(1)"
        let finding = try first(sql) { (row) throws(SQLiteError) in try row.text() }
        guard let finding, finding != "ok" else { return }
        let sentence = finding.split(separator: "\n").joined(separator: " ")
        throw SQLiteError(kind: .corrupt, code: SQLITE_CORRUPT, message: sentence, sql: nil)
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

extension SQLiteError {
    /// The same error with the file named first.
    package func naming(_ path: String) -> SQLiteError {
        message.hasPrefix(path) ? self : SQLiteError(kind: kind, code: code, message: "\(path): \(message)", sql: sql)
    }
}
