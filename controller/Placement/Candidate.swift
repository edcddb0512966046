/// A storage pool as its node last described it.
package struct PoolRoom: Sendable, Hashable {
    package var name: String
    /// Usable room of the whole pool, redundancy taken off.
    package var sizeBytes: Int64
    package var freeBytes: Int64
    /// What is promised to services on this pool, used or not.
    package var reservedBytes: Int64
    /// What lies there and is no service's.
    package var othersBytes: Int64
    /// Why nothing may be put there, as its node calls it: `SUSPENDED`; nil for a pool that works.
    package var fault: String?

    package init(
        name: String, sizeBytes: Int64, freeBytes: Int64, reservedBytes: Int64, othersBytes: Int64 = 0,
        fault: String? = nil
    ) {
        self.fault = fault
        self.othersBytes = othersBytes
        self.name = name
        self.sizeBytes = sizeBytes
        self.freeBytes = freeBytes
        self.reservedBytes = reservedBytes
    }
}

/// A node as the placement sees it.
package struct Candidate: Sendable, Hashable {
    package var id: String
    package var name: String
    package var connected: Bool
    /// False when cordoned.
    package var schedulable: Bool
    package var revoked: Bool
    /// False until somebody has said that the node may be trusted.
    package var approved: Bool
    package var drivers: Set<String>
    package var labels: [String: String]
    package var cpuMillis: Int64
    package var memoryBytes: Int64
    /// Of it, what running guests of others may take.
    package var foreignMemoryBytes: Int64
    package var pools: [PoolRoom]
    /// CPU and memory promised to services on this node. Disk is counted per pool.
    package var reserved: Resources
    /// Services placed here.
    package var services: Int
    /// The measured load, 0 (idle) to 1 (busy); nil when nothing was measured lately.
    package var load: Double?

    package init(
        id: String, name: String, connected: Bool, schedulable: Bool, revoked: Bool = false,
        approved: Bool = true, drivers: Set<String>,
        labels: [String: String] = [:], cpuMillis: Int64, memoryBytes: Int64, foreignMemoryBytes: Int64 = 0,
        pools: [PoolRoom],
        reserved: Resources = .none, services: Int = 0, load: Double? = nil
    ) {
        self.id = id
        self.name = name
        self.connected = connected
        self.schedulable = schedulable
        self.revoked = revoked
        self.approved = approved
        self.drivers = drivers
        self.labels = labels
        self.cpuMillis = cpuMillis
        self.memoryBytes = memoryBytes
        self.foreignMemoryBytes = foreignMemoryBytes
        self.pools = pools
        self.reserved = reserved
        self.services = services
        self.load = load
    }
}
