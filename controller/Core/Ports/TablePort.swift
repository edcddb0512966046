package import WireProtocol

/// Tables of somebody's database, as far as work needs them: rows by what their columns hold, and changes of one row. Whoever keeps
/// them may have hidden rows from us; those are as if they were not there.
package struct TablePort: Sendable {
    /// A table, or a view, and the column by whose value a row is known and in whose order rows come. No two rows have the same.
    package struct Table: Sendable, Hashable {
        package var name: String
        package var key: String

        package init(_ name: String, key: String = "id") { (self.name, self.key) = (name, key) }
    }

    /// Whether there is such a table with these columns. Throws `refused`, naming it, for a column that is not there.
    package var has: @Sendable (Table, _ columns: [String]) async throws(PortError) -> Bool
    /// The rows whose columns hold exactly these values (texts, whole numbers, true and false, null), by the key, after the one whose
    /// key is `after`; the key and the columns of each, as JSON has them. At most `limit` (1 to 1000). They may be fewer than there are:
    /// only an empty page is the end.
    package var rows:
        @Sendable (
            Table, _ columns: [String], _ filters: JSONObject, _ after: JSONValue?, _ limit: Int
        ) async throws(PortError) -> [JSONObject]
    /// Gives the one row with this key these values, where its columns hold what `filters` says: 1 where it did, 0 where no such row
    /// is there or to be seen. May be said twice. After an answer that was lost, a row that is as it is wished counts as changed,
    /// whoever has changed it; throws `silent` where nobody knows.
    package var update:
        @Sendable (
            Table, _ id: JSONValue, _ fields: JSONObject, _ filters: JSONObject
        ) async throws(PortError) -> Int

    package init(
        has: @escaping @Sendable (Table, [String]) async throws(PortError) -> Bool,
        rows:
            @escaping @Sendable (Table, [String], JSONObject, JSONValue?, Int) async throws(PortError) -> [JSONObject],
        update: @escaping @Sendable (Table, JSONValue, JSONObject, JSONObject) async throws(PortError) -> Int
    ) {
        (self.has, self.rows, self.update) = (has, rows, update)
    }

    package static let none = TablePort(
        has: { (_, _) throws(PortError) in throw .notSetUp("keeper of tables") },
        rows: { (_, _, _, _, _) throws(PortError) in throw .notSetUp("keeper of tables") },
        update: { (_, _, _, _) throws(PortError) in throw .notSetUp("keeper of tables") })
}
