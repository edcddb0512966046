package import SQL
import SQLite

/// The names that reports of metrics count on. A node whose containers come and go has a new set of names with each
/// change, so a set goes with the last report that counts on it.
extension SpoolFile {
    /// A set in `retired` is what no report above the number counts on; one that is not there is in use.
    static let namesSchema = """
        CREATE TABLE IF NOT EXISTS series (name TEXT PRIMARY KEY, line BLOB NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS retired (name TEXT PRIMARY KEY, last_seq INTEGER NOT NULL) WITHOUT ROWID;
        """

    package func definition(_ set: String) throws(SQLError) -> [UInt8]? {
        try database.first("SELECT line FROM series WHERE name = ?", [set]) { (row) throws(SQLError) in
            try row.blob()
        }
    }

    /// Puts a set on disk, and retires all others.
    /// - Parameter seq: the first report that counts on it.
    func define(_ series: SpooledSeries, from seq: Int64) throws(SQLError) {
        let sql = "INSERT INTO series (name, line) VALUES (?, ?) ON CONFLICT DO NOTHING"
        if try database.run(sql, [series.set, series.line]) > 0 { budget.names += series.line.count }
        try database.run("DELETE FROM retired WHERE name = ?", [series.set])
        let retire = """
            INSERT INTO retired (name, last_seq) SELECT name, ? FROM series WHERE name <> ? ON CONFLICT DO NOTHING
            """
        try database.run(retire, [seq - 1, series.set])
    }

    /// Drops the sets that no report counts on any more.
    /// - Returns: bytes of them.
    @discardableResult
    func dropNames() throws(SQLError) -> Int {
        let unused = "last_seq < ?"
        let first = try first(.metrics) ?? .max
        let sql = "DELETE FROM series WHERE name IN (SELECT name FROM retired WHERE \(unused)) RETURNING length(line)"
        let sizes = try database.query(sql, [first]) { (row) throws(SQLError) in try row.int() }
        guard !sizes.isEmpty else { return 0 }
        try database.run("DELETE FROM retired WHERE \(unused)", [first])
        let bytes = sizes.reduce(0, +)
        budget.names -= bytes
        return bytes
    }

    static func namesSize(_ database: SQLiteDatabase) throws(SQLError) -> Int {
        try database.first("SELECT coalesce(sum(length(line)), 0) FROM series") { (row) throws(SQLError) in
            try row.int()
        } ?? 0
    }
}
