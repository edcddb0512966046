import SQLite

/// How a store's file is opened and looked at before anybody relies on it.
enum StoreFile {
    /// The application id in the file's header: "Innk".
    private static let applicationID: Int64 = 0x496e_6e6b

    static func open(_ path: String, _ options: StoreOptions) throws(StoreError) -> SQLiteDatabase {
        // SQLite would make a new database of a missing file, and takes an empty one for new.
        if options.mustExist, SQLiteDatabase.hasChecksums(path) == nil { throw .missing(path) }
        do throws(SQLiteError) {
            let database = try SQLiteDatabase(
                path: path,
                options: SQLiteOptions(
                    access: options.mustExist ? .readWrite : .readWriteCreate, busyTimeout: options.busyTimeout,
                    synchronous: .full, maximumPages: options.maximumPages, cacheKiB: options.cacheKiB))
            do throws(SQLiteError) { try prepare(database, path, options) } catch { throw error.naming(path) }
            return database
        } catch {
            throw Schema.refusal(error, path) ?? StoreError(error)
        }
    }

    private static func prepare(
        _ database: SQLiteDatabase, _ path: String, _ options: StoreOptions
    ) throws(SQLiteError) {
        // Until somebody has found the store right and closes it in order.
        try database.keepLog(true)
        try identify(database, isNewAllowed: !options.mustExist)
        try Schema.bring(database, to: Schema.migrations)
        try database.addChecksums()
        try check(database)
    }

    /// Refuses a database of another program before anything is written to it.
    private static func identify(_ database: SQLiteDatabase, isNewAllowed: Bool) throws(SQLiteError) {
        let id = try database.first("PRAGMA application_id") { (row) throws(SQLiteError) in try row.integer() }
        if id == applicationID { return try refuseBackup(database) }
        let tables = try database.first("SELECT count(*) FROM sqlite_schema") { (row) throws(SQLiteError) in
            try row.integer()
        }
        guard id == 0, tables == 0, isNewAllowed else {
            throw SQLiteError(kind: .notADatabase, code: Schema.foreignCode, message: "")
        }
        try database.execute("PRAGMA application_id = \(applicationID)")
    }

    /// Checks a store that is only looked at. Returns the number of its schema.
    static func examine(_ database: SQLiteDatabase) throws(SQLiteError) -> Int64 {
        try refuseForeign(database)
        try refuseBackup(database)
        try Schema.refuseNewer(database)
        try check(database)
        return try Schema.read(database)
    }

    /// Refuses a database of another program.
    static func refuseForeign(_ database: SQLiteDatabase) throws(SQLiteError) {
        let id = try database.first("PRAGMA application_id") { (row) throws(SQLiteError) in try row.integer() }
        guard id == applicationID else {
            throw SQLiteError(kind: .notADatabase, code: Schema.foreignCode, message: "")
        }
    }

    private static func refuseBackup(_ database: SQLiteDatabase) throws(SQLiteError) {
        guard try BackupTables.exist(in: database) else { return }
        throw SQLiteError(kind: .other, code: Schema.backupCode, message: "")
    }

    /// Reads the tables that orders and invoices rest on, so that each of their pages is held against its checksum. The
    /// metrics may be many gigabytes; damage there shows when they are read.
    private static func check(_ database: SQLiteDatabase) throws(SQLiteError) {
        let tables = try database.query(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'metric_%' ORDER BY name"
        ) { (row) throws(SQLiteError) in try row.text() }
        for table in tables { try database.quickCheck(table: table) }
    }
}
