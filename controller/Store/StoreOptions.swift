import SQLite

/// How a store is opened.
package struct StoreOptions: Sendable {
    /// How long metrics and usage wait for others, so that one commit serves many nodes.
    package var groupCommit: Duration
    /// The most pages of 4 KiB that the file may have, for a bounded store.
    package var maximumPages: Int?
    /// Memory for pages, in KiB.
    package var cacheKiB: Int
    /// How long to wait for another program that holds the file.
    package var busyTimeout: Duration

    package init(
        groupCommit: Duration = .milliseconds(50), maximumPages: Int? = nil, cacheKiB: Int = 16384,
        busyTimeout: Duration = .seconds(5)
    ) {
        self.groupCommit = groupCommit
        self.maximumPages = maximumPages
        self.cacheKiB = cacheKiB
        self.busyTimeout = busyTimeout
    }
}

extension Store {
    /// The application id in the file's header: "Innk".
    private static let applicationID: Int64 = 0x496e_6e6b

    static func open(_ path: String, _ options: StoreOptions) throws(StoreError) -> SQLiteDatabase {
        do throws(SQLiteError) {
            let database = try SQLiteDatabase(
                path: path,
                options: SQLiteOptions(
                    busyTimeout: options.busyTimeout, synchronous: .full, maximumPages: options.maximumPages,
                    cacheKiB: options.cacheKiB))
            try identify(database, path)
            try Schema.bring(database, to: Schema.migrations)
            try check(database)
            return database
        } catch {
            throw Schema.refusal(error) ?? StoreError(error)
        }
    }

    /// Refuses a database of another program before anything is written to it.
    private static func identify(_ database: SQLiteDatabase, _ path: String) throws(SQLiteError) {
        let id = try database.first("PRAGMA application_id") { (row) throws(SQLiteError) in try row.integer() }
        let tables = try database.first("SELECT count(*) FROM sqlite_schema") { (row) throws(SQLiteError) in
            try row.integer()
        }
        if id == applicationID { return }
        guard id == 0, tables == 0 else {
            throw SQLiteError(kind: .notADatabase, code: Schema.foreignCode, message: path)
        }
        try database.execute("PRAGMA application_id = \(applicationID)")
    }

    /// Looks through the tables that orders and invoices rest on. The metrics may be many gigabytes; damage there
    /// shows when they are read.
    private static func check(_ database: SQLiteDatabase) throws(SQLiteError) {
        let tables = try database.query(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'metric_%' ORDER BY name"
        ) { (row) throws(SQLiteError) in try row.text() }
        for table in tables { try database.quickCheck(table: table) }
    }
}
