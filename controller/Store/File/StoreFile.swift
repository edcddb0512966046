import SQL
import SQLite

/// How a store's file is opened and looked at before anybody relies on it.
enum StoreFile {
    /// The application id in the file's header: "Innk".
    private static let applicationID: Int64 = 0x496e_6e6b

    static func open(_ path: String, _ options: StoreOptions) throws(StoreError) -> SQLiteDatabase {
        // SQLite would make a new database of a missing file, and takes an empty one for new.
        if options.mustExist, !Store.isFilled(path) { throw .missing(path) }
        let database = try StoreError.naming(path) { () throws(SQLError) in
            let database = try SQLiteDatabase(
                path: path,
                options: SQLiteOptions(
                    access: options.mustExist ? .readWrite : .readWriteCreate, busyTimeout: options.busyTimeout,
                    synchronous: .full, maximumPages: options.maximumPages, cacheKiB: options.cacheKiB))
            // Until somebody has found the store right and closes it in order.
            try database.keepLog(true)
            return database
        }
        try identify(database, isNewAllowed: !options.mustExist)
        try Schema.bring(database, name: path)
        try StoreError.naming(path) { () throws(SQLError) in
            try database.addChecksums()
            try check(database)
        }
        return database
    }

    /// Refuses a database of another program before anything is written to it.
    private static func identify(_ database: SQLiteDatabase, isNewAllowed: Bool) throws(StoreError) {
        let path = database.path
        let (id, tables) = try StoreError.naming(path) { () throws(SQLError) in
            (try applicationID(of: database), try database.integer("SELECT count(*) FROM sqlite_schema"))
        }
        if id == applicationID { return try refuseBackup(database) }
        guard id == 0, tables == 0, isNewAllowed else { throw .notAStore(path) }
        try StoreError.naming(path) { () throws(SQLError) in
            try database.execute("PRAGMA application_id = \(applicationID)")
        }
    }

    /// Checks a store that is only looked at. Returns the number of its schema.
    static func examine(_ database: SQLiteDatabase) throws(StoreError) -> Int64 {
        try refuseForeign(database)
        try refuseBackup(database)
        let schema = try Schema.refuseNewer(database, name: database.path)
        try StoreError.naming(database.path) { () throws(SQLError) in try check(database) }
        return schema
    }

    /// Refuses a database of another program.
    static func refuseForeign(_ database: SQLiteDatabase) throws(StoreError) {
        let id = try StoreError.naming(database.path) { () throws(SQLError) in try applicationID(of: database) }
        guard id == applicationID else { throw .notAStore(database.path) }
    }

    private static func refuseBackup(_ database: SQLiteDatabase) throws(StoreError) {
        let isBackup = try StoreError.naming(database.path) { () throws(SQLError) in
            try BackupTables.exist(in: database)
        }
        if isBackup { throw .isBackup(database.path) }
    }

    private static func applicationID(of database: SQLiteDatabase) throws(SQLError) -> Int64 {
        try database.integer("PRAGMA application_id")
    }

    /// Reads the tables that services and invoices rest on, so that each of their pages is held against its checksum. The
    /// metrics may be many gigabytes; damage there shows when they are read.
    private static func check(_ database: SQLiteDatabase) throws(SQLError) {
        let tables = try database.query(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'metric_%' ORDER BY name"
        ) { (row) throws(SQLError) in try row.text() }
        for table in tables { try database.quickCheck(table: table) }
    }
}

extension SQLiteDatabase {
    fileprivate func integer(_ sql: String) throws(SQLError) -> Int64 {
        try first(sql) { (row) throws(SQLError) in try row.integer() } ?? 0
    }
}
