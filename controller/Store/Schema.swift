import SQLite

/// Brings a store file to the newest schema, forward only, one migration a transaction.
enum Schema {
    struct Migration {
        let number: Int64
        let script: String
    }

    /// Append only: a migration that was released never changes.
    static let migrations = [
        Migration(number: 1, script: schema1Control), Migration(number: 2, script: schema2Metrics),
        Migration(number: 3, script: schema3Keys), Migration(number: 4, script: schema4Commands),
        Migration(number: 5, script: schema5Findings), Migration(number: 6, script: schema6Trust),
        Migration(number: 7, script: schema7Refusals),
    ]

    /// Codes of our own in `SQLiteError.code`, outside SQLite's range.
    static let newerCode: Int32 = -1
    static let foreignCode: Int32 = -2
    static let backupCode: Int32 = -3

    static func bring(_ database: SQLiteDatabase, to migrations: [Migration]) throws(SQLiteError) {
        try refuseNewer(database, than: migrations)
        let found = try version(of: database)
        for migration in migrations where migration.number > found {
            try database.transaction { () throws(SQLiteError) in
                try database.execute(words(migration.script))
                try database.run("DELETE FROM schema_version")
                try database.run("INSERT INTO schema_version (version) VALUES (?)", [migration.number])
            }
        }
    }

    /// The error of a file that another version or another program made, nil for any other error.
    static func refusal(_ error: SQLiteError, _ path: String) -> StoreError? {
        switch error.code {
        case foreignCode: return .notAStore(path)
        case backupCode: return .isBackup(path)
        case newerCode:
            let numbers = error.message.split(separator: " ").compactMap { Int64($0) }
            return .newerSchema(path, found: numbers.dropLast().last ?? 0, supported: numbers.last ?? 0)
        default: return nil
        }
    }

    /// Looks only.
    static func refuseNewer(
        _ database: SQLiteDatabase, than migrations: [Migration] = Self.migrations
    ) throws(SQLiteError) {
        let tables = "SELECT count(*) FROM sqlite_schema WHERE name = 'schema_version'"
        let isThere = try database.first(tables) { (row) throws(SQLiteError) in try row.bool() } ?? false
        let (found, newest) = (isThere ? try read(database) : 0, migrations.last?.number ?? 0)
        guard found > newest else { return }
        throw SQLiteError(kind: .other, code: newerCode, message: "\(found) \(newest)")
    }

    static func version(of database: SQLiteDatabase) throws(SQLiteError) -> Int64 {
        try database.execute("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")
        return try read(database)
    }

    static func read(_ database: SQLiteDatabase) throws(SQLiteError) -> Int64 {
        try database.first("SELECT version FROM schema_version") { (row) throws(SQLiteError) in
            try row.integer()
        } ?? 0
    }

    /// The one word that SQLite and PostgreSQL do not share.
    private static func words(_ script: String) -> String {
        var text = script
        while let range = text.firstRange(of: "{bytes}") { text.replaceSubrange(range, with: "BLOB") }
        return text
    }
}
