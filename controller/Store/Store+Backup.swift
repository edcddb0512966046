import SQLite

/// What a backup came to.
package struct BackupReport: Sendable, Hashable {
    package var bytes: Int64
    package var duration: Duration
}

extension Store {
    /// Copies the store at `path`, as it is at one moment, and the files that belong to it into one new file, while this
    /// or another process goes on with the store. Neither waits for the other. The file (0600) is there only once it is
    /// whole, checked and on the disk.
    /// - Parameter replacing: a file of that name is replaced; else it is refused.
    package static func backup(
        from path: String, to target: String, with contents: BackupContents, replacing: Bool = false
    ) async throws(StoreError) -> BackupReport {
        let start = ContinuousClock.now
        let bytes = try await StoreCopy().take(from: path, to: target, contents, replacing)
        return BackupReport(bytes: bytes, duration: ContinuousClock.now - start)
    }

    /// Checks every byte of a backup and tells what it holds. Throws `notAStore` for another file, `newerSchema` for the
    /// backup of a later version.
    package static func examine(backup: String) async throws(StoreError) -> BackupContents {
        try await StoreCopy().examine(backup)
    }

    /// Makes a store of a backup, at a path where none is. The result is whole and on the disk, and as old as the backup:
    /// `beginAnew` must follow before it is used.
    package static func unpack(backup: String, to target: String) async throws(StoreError) {
        try await StoreCopy().unpack(backup, to: target)
    }

    package var path: String { database.path }
}

/// Copies on a thread of its own.
private actor StoreCopy {
    private let thread: StoreThread
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    init() throws(StoreError) { thread = try StoreThread() }

    func take(
        from path: String, to target: String, _ contents: BackupContents, _ replacing: Bool
    ) throws(StoreError) -> Int64 {
        guard SQLiteDatabase.hasChecksums(path) != nil else { throw .missing(path) }
        return try failing(path) { () throws(SQLiteError) in
            // To look at a file in WAL mode takes the right to write; the log of a controller that died stays.
            let source = try SQLiteDatabase(path: path, options: SQLiteOptions(access: .readWrite))
            defer { source.close() }
            try source.keepLog(true)
            try StoreFile.refuseForeign(source)
            var bytes: Int64 = 0
            try source.backup(to: target, replacing: replacing) { (copy) throws(SQLiteError) in
                try BackupTables.write(contents, to: copy)
                bytes = try copy.byteCount()
            }
            return bytes
        }
    }

    func examine(_ backup: String) throws(StoreError) -> BackupContents {
        guard SQLiteDatabase.hasChecksums(backup) != nil else { throw .missing(backup) }
        return try failing(backup) { () throws(SQLiteError) in
            let database = try SQLiteDatabase(path: backup, options: SQLiteOptions(access: .readOnly))
            defer { database.close() }
            try StoreFile.refuseForeign(database)
            try Schema.refuseNewer(database)
            guard try BackupTables.exist(in: database) else {
                throw SQLiteError(kind: .other, code: Schema.foreignCode, message: "")
            }
            try database.integrityCheck()
            return try BackupTables.read(database)
        }
    }

    func unpack(_ backup: String, to target: String) throws(StoreError) {
        try failing(backup) { () throws(SQLiteError) in
            let source = try SQLiteDatabase(path: backup, options: SQLiteOptions(access: .readOnly))
            defer { source.close() }
            try source.backup(to: target, replacing: true) { (copy) throws(SQLiteError) in
                try BackupTables.remove(from: copy)
            }
        }
    }

    private func failing<Value>(_ path: String, _ body: () throws(SQLiteError) -> Value) throws(StoreError) -> Value {
        do throws(SQLiteError) { return try body() } catch {
            throw Schema.refusal(error, path) ?? StoreError(error.naming(path))
        }
    }
}
