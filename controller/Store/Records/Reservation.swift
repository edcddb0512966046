package import Model
import SQL

/// What a service is promised on its node. One for each service.
package struct Reservation: Sendable, Hashable {
    package var service: String
    package var node: String
    /// The pool that the disk is promised on.
    package var pool: String?
    package var cpuMillis: Int64
    package var memoryBytes: Int64
    package var diskBytes: Int64
    package var createdAt: Timestamp

    package init(
        service: String, node: String, pool: String? = nil, cpuMillis: Int64, memoryBytes: Int64,
        diskBytes: Int64, createdAt: Timestamp
    ) {
        self.service = service
        self.node = node
        self.pool = pool
        self.cpuMillis = cpuMillis
        self.memoryBytes = memoryBytes
        self.diskBytes = diskBytes
        self.createdAt = createdAt
    }
}

extension Reservation: Record {
    static let table = "reservations"
    static let key = ["service"]
    static let columns = [
        "service", "node", "pool", "cpu_millis", "memory_bytes", "disk_bytes", "created_at",
    ]

    init(row: inout any SQLRow) throws(SQLError) {
        service = try row.text()
        node = try row.text()
        pool = try row.optionalText()
        cpuMillis = try row.integer()
        memoryBytes = try row.integer()
        diskBytes = try row.integer()
        createdAt = try row.timestamp()
    }

    var values: [any SQLBindable] {
        [
            service, node, pool, cpuMillis, memoryBytes, diskBytes, createdAt,
        ]
    }
}
