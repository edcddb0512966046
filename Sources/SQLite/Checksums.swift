import CLibSQLite
import Glibc
package import SQL

/// Checksums of pages. SQLite has none for the pages of its file: a byte that flips in a row's text would be served as
/// that row. Every file that this module makes has one in each page, checked whenever a page is read.
enum Checksums {
    /// Makes them known to SQLite, once a process. A result code.
    static let registration: Int32 = innkeeper_sqlite_register_checksums()
}

extension SQLiteDatabase {
    /// Whether the pages of a file have checksums; nil for a file without a header.
    package static func hasChecksums(_ path: String) -> Bool? {
        let file = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { Glibc.close(file) }
        var header = [UInt8](repeating: 0, count: 21)
        guard read(file, &header, header.count) == header.count else { return nil }
        return header[20] == 8
    }

    /// Gives checksums to the pages of a file that was made without. Rewrites the file, unless it is damaged.
    package func addChecksums() throws(SQLError) {
        guard Self.hasChecksums(path) == false else { return }
        try quickCheck()
        let code = innkeeper_sqlite_reserve_checksums(try connection())
        guard code == SQLITE_OK else { throw SQLError(code: code, on: try connection(), sql: nil) }
        try execute("VACUUM; PRAGMA wal_checkpoint(TRUNCATE)")
        guard Self.hasChecksums(path) == true else {
            throw SQLError(kind: .other, message: "the pages of \(path) could not be given checksums")
        }
    }

    /// Whether main file and write-ahead log stay as they are when the last connection ends, instead of becoming one
    /// file: for one who only looks, and who must not destroy what a damaged log still holds.
    package func keepLog(_ keep: Bool) throws(SQLError) {
        let code = innkeeper_sqlite_keep_log(try connection(), keep ? 1 : 0)
        guard code == SQLITE_OK else { throw SQLError(code: code, on: try connection(), sql: nil) }
    }

    /// How long the file is.
    package func byteCount() throws(SQLError) -> Int64 {
        let sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        return try first(sql) { (row) throws(SQLError) in try row.integer() } ?? 0
    }

    /// Reads everything, also the indexes, and throws `corrupt` with the first finding.
    package func integrityCheck() throws(SQLError) {
        let finding = try first("PRAGMA integrity_check(1)") { (row) throws(SQLError) in try row.text() }
        guard let finding, finding != "ok" else { return }
        let sentence = finding.split(separator: "\n").joined(separator: " ")
        throw SQLError(kind: .corrupt, message: sentence)
    }
}
