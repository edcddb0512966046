import CLibSQLite
import Glibc

extension SQLiteDatabase {
    /// Copies the database, as it is at one moment, into a new file while others go on writing. The file appears under
    /// its name only when it is whole and on the disk; a file that is there already is refused.
    package func backup(to target: String) throws(SQLiteError) {
        guard access(target, F_OK) != 0 else {
            throw SQLiteError(kind: .cannotOpen, message: "\(target) is there already")
        }
        let partial = target + ".partial"
        unlink(partial)
        do throws(SQLiteError) {
            try copy(to: partial)
            try publish(partial, as: target)
        } catch {
            unlink(partial)
            throw error
        }
    }

    private func copy(to path: String) throws(SQLiteError) {
        let source = try connection()
        // A rollback journal keeps the copy in one file.
        let copy = try SQLiteDatabase(copyAt: path)
        defer { copy.close() }
        let destination = try copy.connection()
        guard let backup = sqlite3_backup_init(destination, "main", source, "main") else {
            throw SQLiteError(code: sqlite3_errcode(destination), on: destination, sql: nil).naming(path)
        }
        let code = sqlite3_backup_step(backup, -1)
        sqlite3_backup_finish(backup)
        guard code == SQLITE_DONE else { throw SQLiteError(code: code, on: destination, sql: nil).naming(path) }
        try copy.execute("PRAGMA journal_mode = DELETE")
        try copy.quickCheck()
    }

    private func publish(_ partial: String, as target: String) throws(SQLiteError) {
        let slash = target.lastIndex(of: "/")
        let directory = slash.map { $0 == target.startIndex ? "/" : String(target[..<$0]) } ?? "."
        // link, not rename: it refuses a name that somebody took meanwhile.
        guard Self.sync(partial), link(partial, target) == 0 else {
            let reason = String(cString: strerror(errno))
            throw SQLiteError(kind: .inputOutput, message: "\(target): \(reason)")
        }
        unlink(partial)
        _ = Self.sync(directory)
    }

    private static func sync(_ path: String) -> Bool {
        let file = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { Glibc.close(file) }
        return fsync(file) == 0
    }
}
