package import Model
import SQL

/// A wish for one value out of several.
package struct AllocationRequest: Sendable, Hashable {
    package var kind: String
    /// Where the value must be unique: a node id, a pool, or empty for everywhere.
    package var scope: String
    /// In order of preference.
    package var candidates: [String]
    package var node: String?
    package var service: String
    package var operation: String?
    /// What it is for, where a service has several of a kind: `public`, `2`.
    package var slot: String

    package init(
        kind: String, scope: String = "", candidates: [String], node: String? = nil, service: String,
        operation: String? = nil, slot: String = ""
    ) {
        self.kind = kind
        self.scope = scope
        self.slot = slot
        self.candidates = candidates
        self.node = node
        self.service = service
        self.operation = operation
    }
}

extension Store {
    /// Takes the first free candidate. A service that holds one of this kind in this scope for this slot gets the same
    /// again, so that a repeated step allocates nothing more. Throws `exhausted`.
    package func allocate(_ request: AllocationRequest, at time: Timestamp) throws(StoreError) -> AllocationRecord {
        try transaction { () throws(StoreError) in
            let held = "WHERE service = ? AND kind = ? AND scope = ? AND slot = ?"
            let values = [request.service, request.kind, request.scope, request.slot]
            if let record = try first(AllocationRecord.self, held, values) { return record }
            for candidate in request.candidates {
                let record = AllocationRecord(
                    kind: request.kind, scope: request.scope, value: candidate, node: request.node,
                    service: request.service, operation: request.operation, createdAt: time,
                    slot: request.slot)
                let sql = "\(AllocationRecord.insertion) ON CONFLICT (kind, scope, value) DO NOTHING"
                if try run(sql, record.values) > 0 { return record }
            }
            throw .exhausted(kind: request.kind, scope: request.scope)
        }
    }

    package func allocations(service: String) throws(StoreError) -> [AllocationRecord] {
        try select(AllocationRecord.self, "WHERE service = ? ORDER BY kind, scope, value", [service])
    }

    /// Gives one value free. False when nobody of this service held it.
    package func releaseAllocation(
        kind: String, scope: String, value: String, service: String
    ) throws(StoreError) -> Bool {
        let sql = "DELETE FROM allocations WHERE kind = ? AND scope = ? AND value = ? AND service = ?"
        return try transaction { () throws(StoreError) in try run(sql, [kind, scope, value, service]) > 0 }
    }

    /// Gives everything free that the service holds, the reservation included. Only after the things are gone.
    package func releaseAll(service: String, at time: Timestamp) throws(StoreError) {
        try transaction { () throws(StoreError) in
            try endHolding(service: service, at: time)
            // What is gone cannot be otherwise than it should be.
            try resolve("service.drift", subject: "service/\(service)", by: "controller", at: time)
            try run("DELETE FROM allocations WHERE service = ?", [service])
            try run("DELETE FROM reservations WHERE service = ?", [service])
        }
    }

    /// Allocations of services that are terminated or never came to be.
    package func orphanedAllocations() throws(StoreError) -> [AllocationRecord] {
        let rest = """
            WHERE NOT EXISTS (
                SELECT 1 FROM services WHERE services.id = allocations.service AND services.state <> 'terminated')
            ORDER BY kind, scope, value
            """
        return try select(AllocationRecord.self, rest)
    }
}

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
