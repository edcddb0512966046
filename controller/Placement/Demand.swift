/// An amount of what a node has to give.
package struct Resources: Sendable, Hashable {
    /// Thousandths of a CPU.
    package var cpuMillis: Int64
    package var memoryBytes: Int64
    package var diskBytes: Int64

    package static let none = Resources(cpuMillis: 0, memoryBytes: 0, diskBytes: 0)

    package init(cpuMillis: Int64, memoryBytes: Int64, diskBytes: Int64) {
        self.cpuMillis = cpuMillis
        self.memoryBytes = memoryBytes
        self.diskBytes = diskBytes
    }
}

/// Which of the nodes with room is preferred.
package enum PlacementStrategy: String, Sendable, Hashable, CaseIterable {
    /// The emptiest one: a lost node hurts fewer customers.
    case spread
    /// The fullest one: whole nodes stay free for large services.
    case pack
}

/// What kind of storage a service's data goes to.
package enum StorageDemand: Sendable, Hashable {
    /// It has none.
    case none
    /// A ZFS pool.
    case zfs
    /// A storage of Proxmox that takes this content: `rootdir` for containers, `images` for machines.
    case proxmox(content: String)
    /// A folder on the machine's own disks.
    case folder
}

/// What one service needs of its node.
package struct Demand: Sendable, Hashable {
    package var resources: Resources
    /// Drivers that must have been found on the node: `docker`, `zfs`.
    package var drivers: [String]
    /// Labels that the node must carry.
    package var labels: [String: String]
    package var storage: StorageDemand
    /// The storage to use, by its name; nil lets the placement choose.
    package var pool: String?
    /// What the node must have.
    package var networks: [Network]
    /// What must be there beside, as the inventories of nodes have it.
    package var things: [Thing]
    /// The template that must be there, where nodes tell which they have.
    package var template: String?
    package var strategy: PlacementStrategy

    /// A network of an engine, say.
    package struct Thing: Sendable, Hashable {
        /// `docker/network/web`.
        package var resource: String
        /// What is in the inventory of each node that tells of such things; one that does not may have it.
        package var sign: String
        /// `network web`.
        package var name: String

        package init(_ resource: String, sign: String, name: String) {
            (self.resource, self.sign, self.name) = (resource, sign, name)
        }

        /// A network of the node's engine. Each engine has `none`.
        package static func dockerNetwork(_ name: String) -> Thing {
            Thing("docker/network/\(name)", sign: "docker/network/none", name: "Docker network \(name)")
        }
    }

    package init(
        resources: Resources, drivers: [String], labels: [String: String] = [:], storage: StorageDemand = .zfs,
        pool: String? = nil, networks: [Network] = [], things: [Thing] = [], template: String? = nil,
        strategy: PlacementStrategy = .spread
    ) {
        self.things = things
        self.storage = storage
        self.networks = networks
        self.template = template
        self.resources = resources
        self.drivers = drivers
        self.labels = labels
        self.pool = pool
        self.strategy = strategy
    }
}

/// How far the nodes may be filled.
package struct PlacementRules: Sendable, Hashable {
    /// Promised CPU time for each unit that is there.
    package var cpuOvercommit: Double
    package var memoryOvercommit: Double
    package var diskOvercommit: Double
    /// The share of a pool that stays free: a copy-on-write pool that is full cannot even delete.
    package var storageFloor: Double
    /// Other rules for nodes whose label `class` names them.
    package var classes: [String: PlacementRules]

    /// The label that tells a node's class.
    package static let classLabel = "class"

    package static let standard = PlacementRules(
        cpuOvercommit: 4, memoryOvercommit: 1, diskOvercommit: 1, storageFloor: 0.1)

    package init(
        cpuOvercommit: Double, memoryOvercommit: Double, diskOvercommit: Double, storageFloor: Double,
        classes: [String: PlacementRules] = [:]
    ) {
        self.classes = classes
        self.cpuOvercommit = cpuOvercommit
        self.memoryOvercommit = memoryOvercommit
        self.diskOvercommit = diskOvercommit
        self.storageFloor = storageFloor
    }

    /// Those of a node.
    func rules(of node: Candidate) -> PlacementRules {
        node.labels[Self.classLabel].flatMap { classes[$0] } ?? self
    }
}
