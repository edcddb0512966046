import Model
import SQL
import SQLite

/// The tables of the journal.
enum JournalSchema {
    private static let version = 2
    private static let script = """
        CREATE TABLE about (version INTEGER NOT NULL, epoch TEXT NOT NULL, writes INTEGER NOT NULL DEFAULT 0);
        CREATE TABLE receipts (
            id TEXT PRIMARY KEY, digest TEXT NOT NULL, resource TEXT NOT NULL, driver TEXT NOT NULL,
            operation TEXT NOT NULL, generation INTEGER NOT NULL, state TEXT NOT NULL, accepted INTEGER NOT NULL,
            started INTEGER, result BLOB, acknowledged INTEGER
        ) WITHOUT ROWID;
        CREATE INDEX unacknowledged ON receipts (id) WHERE acknowledged IS NULL;
        CREATE INDEX acknowledged ON receipts (acknowledged) WHERE acknowledged IS NOT NULL;
        CREATE TABLE generations (resource TEXT PRIMARY KEY, generation INTEGER NOT NULL) WITHOUT ROWID;
        """

    /// Makes the tables in a new file. Returns the journal's epoch.
    static func prepare(_ database: SQLiteDatabase) throws(SQLError) -> String {
        let tables = try database.first("SELECT count(*) FROM sqlite_schema") { (row) throws(SQLError) in
            try row.int()
        }
        if tables == 0 {
            try database.execute(script)
            try database.run("INSERT INTO about (version, epoch) VALUES (?, ?)", [version, Identifier.make("journal")])
        }
        let about = try database.first("SELECT version, epoch FROM about") { (row) throws(SQLError) in
            (try row.int(), try row.text())
        }
        guard let (found, epoch) = about else {
            throw SQLError(kind: .corrupt, message: "the journal has no identity")
        }
        guard found <= version else {
            let message =
                "the journal has version \(found), this agent knows up to \(version): install the newer version again"
            throw SQLError(kind: .other, message: message)
        }
        if found < 2 { try database.execute("ALTER TABLE about ADD COLUMN writes INTEGER NOT NULL DEFAULT 0") }
        try database.run("UPDATE about SET version = ?", [version])
        return epoch
    }
}
