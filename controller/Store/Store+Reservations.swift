import SQL

/// What the services of one node are promised together.
package struct NodeLoad: Sendable, Hashable {
    package var node: String
    package var services: Int
    package var cpuMillis: Int64
    package var memoryBytes: Int64
    package var diskBytes: Int64
    /// Promised disk by pool.
    package var pools: [String: Int64]
    /// Bytes that the services' data sets take by pool; a pool that nobody told of is absent.
    package var usedBytes: [String: Int64] = [:]
    /// Memory that running guests of others may take.
    package var foreignMemoryBytes: Int64 = 0
}

extension NodeLoad {
    init(node: String) {
        self.init(node: node, services: 0, cpuMillis: 0, memoryBytes: 0, diskBytes: 0, pools: [:])
    }
}

extension Store {
    /// Sets what the service is promised: one reservation a service, also when it moves or grows.
    package func reserve(_ reservation: Reservation) throws(StoreError) {
        try transaction { () throws(StoreError) in try upsert(reservation) }
    }

    package func reservation(service: String) throws(StoreError) -> Reservation? {
        try first(Reservation.self, "WHERE service = ?", [service])
    }

    package func releaseReservation(service: String) throws(StoreError) {
        try transaction { () throws(StoreError) in
            _ = try run("DELETE FROM reservations WHERE service = ?", [service])
        }
    }

    /// The sum of the reservations of each node that has any, and what lies there beside them. Call it and `reserve` in one `atomically` to place.
    package func nodeLoads() throws(StoreError) -> [String: NodeLoad] {
        let sql = """
            SELECT node, coalesce(pool, ''), count(*), sum(cpu_millis), sum(memory_bytes), sum(disk_bytes)
            FROM reservations GROUP BY node, coalesce(pool, '') ORDER BY node
            """
        var loads: [String: NodeLoad] = [:]
        let parts = try rows(sql) { (row) throws(SQLError) in
            (
                try row.text(), try row.text(), try row.int(), try row.integer(), try row.integer(),
                try row.integer()
            )
        }
        for (node, pool, services, cpu, memory, disk) in parts {
            var load = loads[node] ?? NodeLoad(node: node)
            load.services += services
            load.cpuMillis += cpu
            load.memoryBytes += memory
            load.diskBytes += disk
            if !pool.isEmpty { load.pools[pool] = disk }
            loads[node] = load
        }
        try addInventorySums(to: &loads)
        return loads
    }
}
