package import Model
import SQL
import SQLite

/// The two tables that make a copy of a store a backup: what it is, and the files that belong to it. They are only in the
/// backup file, never in a store that is used.
enum BackupTables {
    private static let script = """
        CREATE TABLE backup_about (taken_at BIGINT NOT NULL, version TEXT NOT NULL);
        CREATE TABLE backup_files (
            name TEXT PRIMARY KEY, mode BIGINT NOT NULL, data BLOB NOT NULL);
        """

    static func exist(in database: SQLiteDatabase) throws(SQLError) -> Bool {
        for table in ["backup_about", "backup_files"] where try database.hasTable(table) { return true }
        return false
    }

    static func write(_ contents: BackupContents, to database: SQLiteDatabase) throws(SQLError) {
        try database.transaction { () throws(SQLError) in
            try database.execute(script)
            try database.run(
                "INSERT INTO backup_about VALUES (?, ?)", [contents.takenAt.milliseconds, contents.version])
            for file in contents.files {
                let values: [any SQLBindable] = [file.name, Int64(file.mode), file.bytes]
                try database.run("INSERT INTO backup_files VALUES (?, ?, ?)", values)
            }
        }
    }

    static func read(_ database: SQLiteDatabase) throws(SQLError) -> BackupContents {
        let about = try database.first("SELECT taken_at, version FROM backup_about") { (row) throws(SQLError) in
            (Timestamp(milliseconds: try row.integer()), try row.text())
        }
        let files = try database.query("SELECT name, mode, data FROM backup_files ORDER BY name") {
            (row) throws(SQLError) in
            BackupContents.File(
                name: try row.text(), mode: UInt32(truncatingIfNeeded: try row.integer()), bytes: try row.blob())
        }
        guard let about else { throw SQLError(kind: .corrupt, message: "the backup does not say when it was taken") }
        return BackupContents(takenAt: about.0, version: about.1, files: files)
    }

    /// Takes them out, with every trace of the keys in them.
    static func remove(from database: SQLiteDatabase) throws(SQLError) {
        try database.execute("PRAGMA secure_delete = ON; DROP TABLE backup_files; DROP TABLE backup_about")
    }
}

/// What a backup holds beside the store.
package struct BackupContents: Sendable, Hashable {
    package struct File: Sendable, Hashable {
        /// In the data folder; no path.
        package var name: String
        package var mode: UInt32
        package var bytes: [UInt8]

        package init(name: String, mode: UInt32, bytes: [UInt8]) {
            self.name = name
            self.mode = mode
            self.bytes = bytes
        }
    }

    package var takenAt: Timestamp
    /// Of the program that took it.
    package var version: String
    package var files: [File]

    package init(takenAt: Timestamp, version: String = Version.current, files: [File]) {
        self.takenAt = takenAt
        self.version = version
        self.files = files
    }
}
