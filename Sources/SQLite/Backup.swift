import CLibSQLite
import Glibc
package import SQL

extension SQLiteDatabase {
    /// Pages copied between two rests.
    private static let pagesAtOnce: Int32 = 256

    /// Copies the database, as it is at one moment, into a new file while others go on writing. The file appears under
    /// its name only when it is whole, checked and on the disk.
    ///
    /// The copy rests as long as it works, so that it takes at most half of what the disk can do.
    /// - Parameters:
    ///   - replacing: a file of the name may be there and is replaced; else it is refused.
    ///   - finish: adds to the copy before it is checked.
    package func backup(
        to target: String, replacing: Bool = false,
        finish: (SQLiteDatabase) throws(SQLError) -> Void = { _ in }
    ) throws(SQLError) {
        guard replacing || access(target, F_OK) != 0 else {
            throw SQLError(kind: .cannotOpen, message: "\(target) is there already")
        }
        let partial = "\(target).partial.\(getpid())"
        Self.removeFiles(partial)
        do throws(SQLError) {
            try copy(to: partial, finish)
            try Self.publish(partial, as: target, replacing: replacing)
        } catch {
            Self.removeFiles(partial)
            throw error
        }
    }

    private func copy(to path: String, _ finish: (SQLiteDatabase) throws(SQLError) -> Void) throws(SQLError) {
        let copy = try SQLiteDatabase(copyAt: path)
        defer { copy.close() }
        do throws(SQLError) {
            try copyPages(to: copy)
            // A rollback journal keeps the copy in one file.
            try copy.execute("PRAGMA journal_mode = DELETE")
            try finish(copy)
            try copy.integrityCheck()
        } catch { throw error.naming(path) }
    }

    private func copyPages(to copy: SQLiteDatabase) throws(SQLError) {
        let (source, destination) = (try connection(), try copy.connection())
        // Its header first: pages that leave the cache before the first one would go without their checksums.
        if Self.hasChecksums(path) == true {
            _ = innkeeper_sqlite_reserve_checksums(destination)
            try copy.execute("PRAGMA user_version = 1")
        }
        // One read transaction over all steps: the copy is of one moment, whatever is written meanwhile.
        try execute("BEGIN; SELECT count(*) FROM sqlite_schema")
        defer { _ = try? execute("ROLLBACK") }
        guard let backup = sqlite3_backup_init(destination, "main", source, "main") else {
            throw SQLError(code: sqlite3_errcode(destination), on: destination, sql: nil)
        }
        var code = SQLITE_OK
        while code == SQLITE_OK {
            let start = ContinuousClock.now
            code = sqlite3_backup_step(backup, Self.pagesAtOnce)
            if code == SQLITE_OK { Self.rest(ContinuousClock.now - start) }
        }
        sqlite3_backup_finish(backup)
        guard code == SQLITE_DONE else { throw SQLError(code: code, on: destination, sql: nil) }
    }

    private static func rest(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        nanosleep(&time, nil)
    }

    private static func publish(_ partial: String, as target: String, replacing: Bool) throws(SQLError) {
        let slash = target.lastIndex(of: "/")
        let directory = slash.map { $0 == target.startIndex ? "/" : String(target[..<$0]) } ?? "."
        // Without `replacing`, link and not rename: it refuses a name that somebody took meanwhile.
        guard sync(partial), (replacing ? rename(partial, target) : link(partial, target)) == 0 else {
            let reason = String(cString: strerror(errno))
            throw SQLError(kind: errno == ENOSPC ? .full : .inputOutput, message: "\(target): \(reason)")
        }
        if !replacing { unlink(partial) }
        _ = sync(directory)
    }

    private static func removeFiles(_ path: String) {
        for suffix in ["", "-journal", "-wal", "-shm"] { unlink(path + suffix) }
    }

    private static func sync(_ path: String) -> Bool {
        let file = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { Glibc.close(file) }
        return fsync(file) == 0
    }
}
