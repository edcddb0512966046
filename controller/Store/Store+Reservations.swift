import SQL

/// What the services of one node are promised together.
package struct NodeLoad: Sendable, Hashable {
    package var node: String
    package var services: Int
    package var cpuMillis: Int64
    package var memoryBytes: Int64
    package var diskBytes: Int64
    /// Promised disk by storage.
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
        try transaction { () throws(StoreError) in
            let before = try self.reservation(service: reservation.service)
            try upsert(reservation)
            try sumPromises(on: reservation.node)
            if let node = before?.node, node != reservation.node { try sumPromises(on: node) }
        }
    }

    package func reservation(service: String) throws(StoreError) -> Reservation? {
        try first(Reservation.self, "WHERE service = ?", [service])
    }

    package func releaseReservation(service: String) throws(StoreError) {
        try transaction { () throws(StoreError) in
            guard let reservation = try reservation(service: service) else { return }
            try run("DELETE FROM reservations WHERE service = ?", [service])
            try sumPromises(on: reservation.node)
        }
    }

    /// Placement reads sums, not what every service of a fleet was promised. Made anew from the node's own reservations,
    /// so that they cannot drift apart.
    private func sumPromises(on node: String) throws(StoreError) {
        try run("DELETE FROM promises WHERE node = ?", [node])
        let sql = """
            INSERT INTO promises (node, pool, services, cpu_millis, memory_bytes, disk_bytes)
            SELECT node, coalesce(pool, ''), count(*), sum(cpu_millis), sum(memory_bytes), sum(disk_bytes)
            FROM reservations WHERE node = ? GROUP BY node, coalesce(pool, '')
            """
        try run(sql, [node])
    }

    /// What is promised on each node that has any, and what lies there beside that. Call it and `reserve` in one
    /// `atomically` to place.
    package func nodeLoads() throws(StoreError) -> [String: NodeLoad] { try nodeLoads("", []) }

    /// The same of one node.
    package func nodeLoad(_ node: String) throws(StoreError) -> NodeLoad? {
        try nodeLoads("WHERE node = ?", [node])[node]
    }

    private func nodeLoads(
        _ condition: String, _ values: [any SQLBindable]
    ) throws(StoreError) -> [String: NodeLoad] {
        let sql = "SELECT node, pool, services, cpu_millis, memory_bytes, disk_bytes FROM promises \(condition)"
        var loads: [String: NodeLoad] = [:]
        let parts = try rows(sql, values) { (row) throws(SQLError) in
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
        try addInventorySums(to: &loads, condition, values)
        return loads
    }
}
