import SQL

/// Brings a store to the newest schema, forward only, one migration a transaction.
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
        Migration(number: 7, script: schema7Refusals), Migration(number: 8, script: schema8Networks),
        Migration(number: 9, script: schema9Rooms),
        Migration(number: 10, script: schema10Products),
        Migration(number: 11, script: schema11Integrations),
        Migration(number: 12, script: schema12Domains),
        Migration(number: 13, script: schema13Marks), Migration(number: 14, script: schema14Catalogues),
        Migration(number: 15, script: schema15Outbox), Migration(number: 16, script: schema16Queues),
    ]

    /// - Parameter name: what errors call the database, the path of a file for example.
    static func bring(
        _ database: any SQLConnection, to migrations: [Migration] = Self.migrations, name: String
    ) throws(StoreError) {
        try refuseNewer(database, than: migrations, name: name)
        try StoreError.naming(name) { () throws(SQLError) in
            try database.execute("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")
            let found = try version(of: database)
            for migration in migrations where migration.number > found { try take(migration, database) }
        }
    }

    private static func take(_ migration: Migration, _ database: any SQLConnection) throws(SQLError) {
        try database.transaction(throwing: SQLError.self) { () throws(SQLError) in
            try database.execute(migration.script.replacing("{bytes}", with: database.words.bytes))
            try database.run("DELETE FROM schema_version")
            try database.run("INSERT INTO schema_version (version) VALUES (?)", [migration.number])
        }
    }

    /// Looks only. Returns the number of the schema, 0 where there is none.
    @discardableResult
    static func refuseNewer(
        _ database: any SQLConnection, than migrations: [Migration] = Self.migrations, name: String
    ) throws(StoreError) -> Int64 {
        let found = try StoreError.naming(name) { () throws(SQLError) in
            try database.hasTable("schema_version") ? try version(of: database) : 0
        }
        let newest = migrations.last?.number ?? 0
        guard found <= newest else { throw .newerSchema(name, found: found, supported: newest) }
        return found
    }

    static func version(of database: any SQLConnection) throws(SQLError) -> Int64 {
        try database.rows("SELECT version FROM schema_version") { (row) throws(SQLError) in
            try row.integer()
        }.first ?? 0
    }
}
