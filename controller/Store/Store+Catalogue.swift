import SQL
package import WireProtocol

extension Store {
    /// What the drivers of a node can do, as it said itself when it last connected.
    package func catalogue(of node: String) throws(StoreError) -> JSONValue? {
        try row("SELECT body FROM node_catalogues WHERE node = ?", [node]) { (row) throws(SQLError) in
            try row.optionalJSON()
        } ?? nil
    }

    /// Nodes come back often and change seldom: the same again is not written.
    func setCatalogue(_ catalogue: JSONValue, of node: String) throws(StoreError) {
        guard try self.catalogue(of: node) != catalogue else { return }
        let sql = """
            INSERT INTO node_catalogues (node, body) VALUES (?, ?)
            ON CONFLICT (node) DO UPDATE SET body = excluded.body
            """
        try run(sql, [node, catalogue])
    }

    /// The highest generation of the newest commands for a resource of a node; nil when none is remembered.
    package func newestGeneration(of resource: String, on node: String) throws(StoreError) -> Int64? {
        let rest = "WHERE node = ? AND resource = ? ORDER BY created_at DESC, id DESC LIMIT 64"
        return try select(CommandRecord.self, rest, [node, resource]).compactMap {
            $0.body["generation"]?.asInteger
        }.max()
    }
}
