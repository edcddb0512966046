import SQL
import SQLite

extension Store {
    /// The schema that this version works with.
    package static var newestSchema: Int64 { Schema.migrations.last?.number ?? 0 }

    /// Whether there is a file with anything in it.
    package static func isFilled(_ path: String) -> Bool { SQLiteDatabase.hasChecksums(path) != nil }

    /// Bytes that SQLite holds in this process, most of them pages of the file, up to the bound of its cache.
    package static var memoryInUse: Int64 { SQLiteDatabase.memoryInUse }

    /// Looks at a store that may be in use, without changing it: that it is one, that this version knows its schema, and
    /// that the tables which services and invoices rest on are sound. Blocks.
    /// - Returns: the number of its schema.
    package static func schema(of path: String) throws(StoreError) -> Int64 {
        guard isFilled(path) else { throw .missing(path) }
        let database = try StoreError.naming(path) { () throws(SQLError) in
            try SQLiteDatabase(path: path, options: SQLiteOptions(access: .readOnly))
        }
        defer { database.close() }
        return try StoreFile.examine(database)
    }
}
