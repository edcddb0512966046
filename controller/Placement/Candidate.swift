/// A storage as its node last described it.
package struct PoolRoom: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case zfs
        /// With what may lie there.
        case proxmox(contents: Set<String>)
        case folder
    }

    package var kind: Kind
    package var name: String
    /// Usable room of the whole pool, redundancy taken off.
    package var sizeBytes: Int64
    package var freeBytes: Int64
    /// Why nothing may be put there, as its node calls it: `SUSPENDED`; nil for one that works.
    package var fault: String?
    /// What is promised to services on this pool, used or not.
    package var reservedBytes: Int64
    /// What lies there and is no service's.
    package var othersBytes: Int64

    package init(
        name: String, kind: Kind = .zfs, sizeBytes: Int64, freeBytes: Int64, reservedBytes: Int64,
        othersBytes: Int64 = 0, fault: String? = nil
    ) {
        self.kind = kind
        self.fault = fault
        self.othersBytes = othersBytes
        self.name = name
        self.sizeBytes = sizeBytes
        self.freeBytes = freeBytes
        self.reservedBytes = reservedBytes
    }

    /// As reservations name it: storages of different kinds may have the same name.
    package var key: String {
        switch kind {
        case .zfs: name
        case .proxmox: "proxmox:\(name)"
        case .folder: "folder:\(name)"
        }
    }

    func isOf(_ spec: StorageDemand) -> Bool {
        switch (spec, kind) {
        case (.zfs, .zfs), (.folder, .folder): true
        case (.proxmox(let content), .proxmox(let contents)): contents.contains(content)
        default: false
        }
    }
}

/// A node as the placement sees it.
package struct Candidate: Sendable, Hashable {
    package var id: String
    package var name: String
    package var connected: Bool
    /// False when cordoned.
    package var schedulable: Bool
    /// What is there is to go elsewhere.
    package var draining: Bool
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
    /// Templates of containers that are there; nil where the node does not tell.
    package var templates: Set<String>?
    /// What guests' cards can be put on; nil where the node does not tell.
    package var interfaces: Set<String>?
    /// Resources that are asked for, and are not in the inventory of this node, which tells of such.
    package var lacking: Set<String> = []
    /// CPU and memory promised to services on this node. Disk is counted per pool.
    package var reserved: Resources
    /// Services placed here.
    package var services: Int
    /// The measured load, 0 (idle) to 1 (busy); nil when nothing was measured lately.
    package var load: Double?

    package init(
        id: String, name: String, connected: Bool, schedulable: Bool, draining: Bool = false, revoked: Bool = false,
        approved: Bool = true, drivers: Set<String>,
        labels: [String: String] = [:], cpuMillis: Int64, memoryBytes: Int64, foreignMemoryBytes: Int64 = 0,
        pools: [PoolRoom], templates: Set<String>? = nil, interfaces: Set<String>? = nil,
        reserved: Resources = .none, services: Int = 0, load: Double? = nil
    ) {
        self.id = id
        self.name = name
        self.connected = connected
        self.schedulable = schedulable
        self.draining = draining
        (self.templates, self.interfaces) = (templates, interfaces)
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
