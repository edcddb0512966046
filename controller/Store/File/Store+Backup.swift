import SQL
import SQLite
import Threads

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
}

/// Copies on a thread of its own.
private actor StoreCopy {
    private let thread = DiskThread()
    nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    func take(
        from path: String, to target: String, _ contents: BackupContents, _ replacing: Bool
    ) throws(StoreError) -> Int64 {
        guard Store.isFilled(path) else { throw .missing(path) }
        // To look at a file in WAL mode takes the right to write; the log of a controller that died stays.
        let source = try open(path, .readWrite)
        defer { source.close() }
        try StoreFile.refuseForeign(source)
        return try StoreError.naming(path) { () throws(SQLError) in
            try source.keepLog(true)
            var bytes: Int64 = 0
            try source.backup(to: target, replacing: replacing) { (copy) throws(SQLError) in
                try BackupTables.write(contents, to: copy)
                bytes = try copy.byteCount()
            }
            return bytes
        }
    }

    func examine(_ backup: String) throws(StoreError) -> BackupContents {
        guard Store.isFilled(backup) else { throw .missing(backup) }
        let database = try open(backup, .readOnly)
        defer { database.close() }
        try StoreFile.refuseForeign(database)
        try Schema.refuseNewer(database, name: backup)
        let contents = try StoreError.naming(backup) { () throws(SQLError) -> BackupContents? in
            guard try BackupTables.exist(in: database) else { return nil }
            try database.integrityCheck()
            return try BackupTables.read(database)
        }
        guard let contents else { throw .notAStore(backup) }
        return contents
    }

    func unpack(_ backup: String, to target: String) throws(StoreError) {
        let source = try open(backup, .readOnly)
        defer { source.close() }
        try StoreError.naming(backup) { () throws(SQLError) in
            try source.backup(to: target, replacing: true) { (copy) throws(SQLError) in
                try BackupTables.remove(from: copy)
            }
        }
    }

    private func open(_ path: String, _ access: SQLiteOptions.Access) throws(StoreError) -> SQLiteDatabase {
        try StoreError.naming(path) { () throws(SQLError) in
            try SQLiteDatabase(path: path, options: SQLiteOptions(access: access))
        }
    }
}
