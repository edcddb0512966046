package import Model
import SQLite
package import WireProtocol

/// What a driver said of its resources.
package struct InventoryReport: Sendable, Hashable {
    package var node: String
    package var driver: String
    package var generation: Int64
    /// The report names every resource: what it does not name is gone.
    package var isFull: Bool
    package var items: [(resource: String, state: JSONObject)] { pairs.map { ($0.resource, $0.state) } }
    package var removed: [String]
    private var pairs: [Item]

    private struct Item: Sendable, Hashable {
        var resource: String
        var state: JSONObject
    }

    package init(
        node: String, driver: String, generation: Int64, isFull: Bool, items: [(resource: String, state: JSONObject)],
        removed: [String] = []
    ) {
        self.node = node
        self.driver = driver
        self.generation = generation
        self.isFull = isFull
        self.removed = removed
        pairs = items.map { Item(resource: $0.resource, state: $0.state) }
    }
}

extension Store {
    /// Takes over a report. Only what differs is written and told to the feed.
    package func recordInventory(_ report: InventoryReport, at time: Timestamp) throws(StoreError) {
        try transaction { () throws(StoreError) in
            let known = try inventory(node: report.node, driver: report.driver)
            let before = Dictionary(known.map { ($0.resource, $0) }, uniquingKeysWith: { $1 })
            let changed = report.items.filter { before[$0.resource]?.state != $0.state }
            for (resource, state) in changed {
                try upsert(
                    InventoryRecord(
                        node: report.node, driver: report.driver, resource: resource, generation: report.generation,
                        state: state, updatedAt: time))
            }
            let named = Set(report.items.map(\.resource))
            let gone = report.removed + (report.isFull ? before.keys.filter { !named.contains($0) } : [])
            for resource in gone {
                let sql = "DELETE FROM inventory WHERE node = ? AND driver = ? AND resource = ?"
                try run(sql, [report.node, report.driver, resource])
            }
            if !changed.isEmpty || !gone.isEmpty { try sumInventory(report.driver, of: report.node) }
            if !changed.isEmpty || !gone.isEmpty { note(.node, report.node, node: report.node) }
        }
    }

    package func inventory(node: String, driver: String? = nil) throws(StoreError) -> [InventoryRecord] {
        var conditions = Conditions()
        conditions.equal("node", node)
        conditions.equal("driver", driver)
        return try select(InventoryRecord.self, "\(conditions.sql) ORDER BY driver, resource", conditions.values)
    }

    package func inventory(node: String, resource: String) throws(StoreError) -> InventoryRecord? {
        try first(InventoryRecord.self, "WHERE node = ? AND resource = ?", [node, resource])
    }

    /// The nodes that have reported a resource of this name.
    package func nodes(reporting resource: String) throws(StoreError) -> [String] {
        let sql = "SELECT node FROM inventory WHERE resource = ? ORDER BY node"
        return try rows(sql, [resource]) { (row) throws(SQLiteError) in try row.text() }
    }
}
