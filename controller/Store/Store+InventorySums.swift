import Model
import SQL
import WireProtocol

/// What placement needs to know of everything that lies on a node, summed up when it is reported: nobody reads a
/// fleet's inventory to place one service.
enum InventorySum {
    /// Memory that running guests of others may take.
    static let foreignMemory = "foreign-memory"
    private static let ours = "ours:"
    /// Bytes that services' own data sets take on a pool.
    static func ours(onPool pool: String) -> String { ours + pool }
    static func pool(_ subject: String) -> String? {
        subject.hasPrefix(ours) ? String(subject.dropFirst(ours.count)) : nil
    }

    /// The sums over all that one driver of a node has reported.
    static func of(_ driver: String, _ items: [(resource: String, state: JSONObject)]) -> [String: Int64] {
        switch driver {
        case "proxmox":
            // One whose configuration names no limit has Proxmox's own.
            let foreign = items.filter { $0.state["status"]?.asString == "running" && $0.state["owner"] == nil }
            return [foreignMemory: foreign.reduce(0) { $0 &+ bounded($1.state["memory_mib"] ?? 512, 1 << 26) << 20 }]
        case "zfs":
            var sums: [String: Int64] = [:]
            for (resource, state) in items where resource.hasSuffix("/innkeeper") {
                let parts = resource.split(separator: "/")
                guard parts.count == 3 else { continue }
                sums[ours(onPool: String(parts[1]))] = bounded(state["used_bytes"], 1 << 52)
            }
            return sums
        default: return [:]
        }
    }

    /// A node may say anything: sums over many such figures must not overflow.
    private static func bounded(_ value: JSONValue?, _ most: Int64) -> Int64 {
        min(max(0, value?.asInteger ?? 0), most)
    }
}

extension Store {
    /// Call it in the transaction of the report.
    func sumInventory(_ driver: String, of node: String) throws(StoreError) {
        guard ["proxmox", "zfs"].contains(driver) else { return }
        let items = try inventory(node: node, driver: driver).map { ($0.resource, $0.state) }
        try run("DELETE FROM inventory_sums WHERE node = ? AND driver = ?", [node, driver])
        let sql = "INSERT INTO inventory_sums (node, driver, subject, bytes) VALUES (?, ?, ?, ?)"
        for (subject, bytes) in InventorySum.of(driver, items) { try run(sql, [node, driver, subject, bytes]) }
    }

    /// Adds what was summed up of each node to its load.
    func addInventorySums(
        to loads: inout [String: NodeLoad], _ condition: String, _ values: [any SQLBindable]
    ) throws(StoreError) {
        let sql = "SELECT node, subject, bytes FROM inventory_sums \(condition)"
        let sums = try rows(sql, values) { (row) throws(SQLError) in
            (try row.text(), try row.text(), try row.integer())
        }
        for (node, subject, bytes) in sums {
            var load = loads[node] ?? NodeLoad(node: node)
            if subject == InventorySum.foreignMemory { load.foreignMemoryBytes = bytes }
            if let pool = InventorySum.pool(subject) { load.usedBytes[pool] = bytes }
            loads[node] = load
        }
    }
}
