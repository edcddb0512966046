import Model
import WireProtocol

/// What placement needs to know of a node, in a row of its own: the facts of a node are large, and nobody reads those of
/// a fleet to place one service. Follows from the node's record and is written with it.
package struct NodeRoom: Sendable, Hashable {
    package var node: String
    package var name: String
    package var labels: [String: String]
    /// False when cordoned.
    package var schedulable: Bool
    /// What is there is to go elsewhere.
    package var isDraining: Bool
    package var isRevoked: Bool
    package var isApproved: Bool
    package var cpuMillis: Int64
    package var memoryBytes: Int64
    /// Those that have what they drive.
    package var drivers: [String]
    package var storages: [StorageRoom]
    /// Templates of containers that are there; nil where nobody tells.
    package var templates: [String]?
    /// What its guests' cards can be put on; nil where nobody tells.
    package var interfaces: [String]?
    /// As its nodes call it; nil for a node by itself.
    package var cluster: String?
}

/// A place on a node that data can be put in, as far as the node is believed.
package struct StorageRoom: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        /// A ZFS pool.
        case zfs
        /// A storage of Proxmox.
        case proxmox
        /// A folder on the machine's own disks.
        case folder
    }

    package var kind: Kind
    package var name: String
    /// What Proxmox lets lie there: `rootdir`, `images`, …
    package var contents: [String]
    /// Usable room of the whole, redundancy taken off.
    package var sizeBytes: Int64
    package var freeBytes: Int64
    /// Of the size, what something takes, ours or not.
    package var takenBytes: Int64
    /// Why nothing may be put there, as the node calls it: `SUSPENDED`; nil for one that works.
    package var fault: String?
    /// All nodes of the cluster reach it: what is promised on one of them is promised on all.
    package var isShared = false

    /// As reservations name it.
    package var key: String { kind == .zfs ? name : "\(kind.rawValue):\(name)" }
}

extension NodeRoom {
    init(_ node: NodeRecord) {
        let drivers = (node.facts["drivers"]?.asArray?.compactMap(\.asObject) ?? [])
        // One that has lost what it drives takes no new service.
        let present = drivers.filter { $0["facts"]?["absent"] == nil }
        let facts = Dictionary(
            present.compactMap { driver in driver["name"]?.asString.map { ($0, driver["facts"]?.asObject ?? [:]) } },
            uniquingKeysWith: { one, _ in one })
        let (believed, _) = NodeClaims(facts: node.facts).judged(against: node.approvedClaims)
        self.init(
            node: node.id, name: node.name, labels: node.labels, schedulable: node.schedulable,
            isDraining: node.drain != nil, isRevoked: node.revokedAt != nil, isApproved: node.approvedAt != nil,
            cpuMillis: node.cpuMillis, memoryBytes: node.memoryBytes, drivers: facts.keys.sorted(),
            storages: Self.storages(facts, believed),
            templates: facts["proxmox"]?["templates"]?.asArray?.compactMap(\.asString),
            interfaces: facts["proxmox"]?["interfaces"]?.asArray?.compactMap(\.asString), cluster: node.cluster)
    }

    private static func storages(_ facts: [String: JSONObject], _ believed: NodeClaims) -> [StorageRoom] {
        let pools = (facts["zfs"]?["pools"]?.asArray ?? []).prefix(limit).compactMap {
            StorageRoom(pool: $0, believed: believed.pools)
        }
        let storages = (facts["proxmox"]?["storages"]?.asArray ?? []).prefix(limit).compactMap {
            StorageRoom(storage: $0)
        }
        let folders = (facts["docker"]?["folders"]?.asArray ?? []).prefix(limit).compactMap {
            StorageRoom(folder: $0)
        }
        return pools + storages + folders
    }

    /// That a node may tell of, of each kind.
    private static var limit: Int { 256 }
}

extension StorageRoom {
    /// More than the disks of one machine, or of a cluster of them, hold.
    private static let most: Int64 = 1 << 56

    /// What a pool says of itself that reads and writes; all else is a pool that does not, or one that nobody knows.
    private static let working: Set<String> = ["ONLINE", "DEGRADED"]

    /// Sizes of a pool are those of its disks, parity included, while what a data set may still take is usable room: the
    /// share of the one in the other is what of the whole can be sold.
    fileprivate init?(pool json: JSONValue, believed: [String: Int64]) {
        guard let name = json["name"]?.asString else { return nil }
        // One that stands still may tell sizes or none; either way, what is put there is lost or hangs.
        if let health = json["health"]?.asString, !Self.working.contains(health) {
            self.init(.zfs, name, [], size: 0, free: 0, fault: health.capped(to: 32))
            return
        }
        guard let size = json["size_bytes"]?.asInteger, let free = json["free_bytes"]?.asInteger else { return nil }
        let counted = max(0, min(size, believed[name] ?? 0))
        let available = max(0, min(json["available_bytes"]?.asInteger ?? free, free))
        let share = free > 0 ? Double(available) / Double(free) : 1
        let usable = Int64(min(0x1p62, Double(counted) * share))
        self.init(
            kind: .zfs, name: name, contents: [], sizeBytes: usable, freeBytes: min(available, usable),
            takenBytes: Int64(min(0x1p62, Double(max(0, counted - min(free, counted))) * share)), fault: nil)
    }

    /// Proxmox tells usable room. A storage that is not active cannot be reached now.
    fileprivate init?(storage json: JSONValue) {
        guard let name = json["storage"]?.asString, let size = json["total_bytes"]?.asInteger,
            let free = json["available_bytes"]?.asInteger
        else { return nil }
        // Those that a node names are the ones that take containers.
        let contents = json["contents"]?.asArray?.compactMap(\.asString) ?? ["rootdir"]
        let isActive = json["active"]?.asBool ?? true
        self.init(
            .proxmox, name, contents, size: size, free: free, fault: isActive ? nil : "INACTIVE")
        isShared = json["shared"]?.asBool ?? false
    }

    fileprivate init?(folder json: JSONValue) {
        guard let path = json["path"]?.asString, let size = json["total_bytes"]?.asInteger,
            let free = json["available_bytes"]?.asInteger
        else { return nil }
        self.init(.folder, path, [], size: size, free: free, fault: nil)
    }

    private init(
        _ kind: Kind, _ name: String, _ contents: [String], size: Int64, free: Int64, fault: String?
    ) {
        let size = max(0, min(size, Self.most))
        let free = max(0, min(free, size))
        self.init(
            kind: kind, name: name, contents: contents, sizeBytes: size, freeBytes: free, takenBytes: size - free,
            fault: fault)
    }
}
