import SQL
import SQLite

/// All tables of a database as text, so that a value which the file spreads over several pages is in one piece.
enum StoreDump {
    static func text(of path: String) throws -> [String: String] {
        var options = SQLiteOptions()
        options.access = .readOnly
        let database = try SQLiteDatabase(path: path, options: options)
        defer { database.close() }
        let tables = try database.query("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name") {
            (row) throws(SQLError) in try row.text()
        }
        var dump: [String: String] = [:]
        for table in tables {
            let columns = try database.query("SELECT name FROM pragma_table_info(?)", [table]) {
                (row) throws(SQLError) in try row.text()
            }
            let line = columns.map { "quote(\"\($0)\")" }.joined(separator: " || ',' || ")
            let rows = try database.query("SELECT \(line) FROM \"\(table)\"") { (row) throws(SQLError) in
                try row.text()
            }
            dump[table] = rows.joined(separator: "\n")
        }
        return dump
    }
}
