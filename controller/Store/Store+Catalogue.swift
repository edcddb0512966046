import SQL
import Transport
package import WireProtocol

extension Store {
    /// What the drivers of a node can do, as it said itself when it last connected.
    package func catalogue(of node: String) throws(StoreError) -> JSONValue? {
        let sql = """
            SELECT catalogues.body FROM node_catalogues JOIN catalogues ON catalogues.digest = node_catalogues.digest
            WHERE node_catalogues.node = ? ORDER BY node_catalogues.place
            """
        let drivers = try rows(sql, [node]) { (row) throws(SQLError) in try row.optionalJSON() }
        return drivers.isEmpty ? nil : .array(drivers.compactMap(\.self))
    }

    /// What the same version of a driver says on all nodes is written once. Nodes come back often and change seldom: the same again
    /// is not written.
    func setCatalogue(_ catalogue: JSONValue, of node: String) throws(StoreError) {
        let drivers = (catalogue.asArray ?? []).map { (digest: Self.digest(of: $0), body: $0) }
        let known = try rows("SELECT digest FROM node_catalogues WHERE node = ? ORDER BY place", [node]) {
            (row) throws(SQLError) in try row.text()
        }
        guard known != drivers.map(\.digest) else { return }
        try run("DELETE FROM node_catalogues WHERE node = ?", [node])
        for (place, driver) in drivers.enumerated() {
            let sql = "INSERT INTO catalogues (digest, body) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING"
            try run(sql, [driver.digest, driver.body])
            try run(
                "INSERT INTO node_catalogues (node, place, digest) VALUES (?, ?, ?)",
                [node, Int64(place), driver.digest])
        }
        for digest in Set(known).subtracting(drivers.map(\.digest)) { try forgetCatalogue(digest) }
    }

    /// Removes what no node says any more.
    private func forgetCatalogue(_ digest: String) throws(StoreError) {
        let unused = "NOT EXISTS (SELECT 1 FROM node_catalogues WHERE node_catalogues.digest = catalogues.digest)"
        try run("DELETE FROM catalogues WHERE digest = ? AND \(unused)", [digest])
    }

    /// Of nodes that may be hostile: nobody can make a text of another meaning with the same.
    private static func digest(of driver: JSONValue) -> String {
        var bytes: [UInt8] = []
        driver.encodeSorted(into: &bytes)
        return Crypto.hex(Crypto.sha256(bytes))
    }

    /// The highest generation of the newest commands for a resource of a node; nil when none is remembered.
    package func newestGeneration(of resource: String, on node: String) throws(StoreError) -> Int64? {
        let rest = "WHERE node = ? AND resource = ? ORDER BY created_at DESC, id DESC LIMIT 64"
        return try select(CommandRecord.self, rest, [node, resource]).compactMap {
            $0.body["generation"]?.asInteger
        }.max()
    }
}
