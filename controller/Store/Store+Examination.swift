import SQLite

extension Store {
    /// The schema that this version works with.
    package static var newestSchema: Int64 { Schema.migrations.last?.number ?? 0 }

    /// Looks at a store that may be in use, without changing it: that it is one, that this version knows its schema, and
    /// that the tables which orders and invoices rest on are sound. Blocks.
    /// - Returns: the number of its schema.
    package static func schema(of path: String) throws(StoreError) -> Int64 {
        guard SQLiteDatabase.hasChecksums(path) != nil else { throw .missing(path) }
        do throws(SQLiteError) {
            let database = try SQLiteDatabase(path: path, options: SQLiteOptions(access: .readOnly))
            defer { database.close() }
            return try StoreFile.examine(database)
        } catch {
            throw Schema.refusal(error, path) ?? StoreError(error.naming(path))
        }
    }
}
