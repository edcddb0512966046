package import SQL

extension SQLiteDatabase: SQLConnection {
    package var words: SQLWords { SQLWords(bytes: "BLOB") }

    package func each(
        _ sql: String, _ values: [any SQLBindable], _ read: (inout any SQLRow) throws(SQLError) -> Void
    ) throws(SQLError) {
        try using(sql) { (statement) throws(SQLError) in
            try statement.query(values) { (row: inout SQLiteRow) throws(SQLError) in
                var anyRow: any SQLRow = row
                try read(&anyRow)
            }
        }
    }

    package func awaitDisk(_ isAwaited: Bool) throws(SQLError) {
        try run("PRAGMA synchronous = \((isAwaited ? SQLiteOptions.Synchronous.full : .normal).rawValue)")
    }

    package func hasTable(_ name: String) throws(SQLError) -> Bool {
        let sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?"
        return try first(sql, [name]) { (row) throws(SQLError) in try row.bool() } ?? false
    }

    /// Free pages and the log still hold what was there.
    package func clearRemains() throws(SQLError) {
        try run("VACUUM")
        _ = try query("PRAGMA wal_checkpoint(TRUNCATE)") { (_) throws(SQLError) in }
    }

    package func finish() {
        _ = try? keepLog(false)
        close()
    }
}
