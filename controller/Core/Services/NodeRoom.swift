import Placement
import Store
import WireProtocol

extension Store {
    /// Every node as the placement sees it.
    func candidates(connected: Set<String>, loads: [String: Double]) throws(StoreError) -> [Candidate] {
        let promised = try nodeLoads()
        return try allNodes().map { node in
            Candidate(node, promised: promised[node.id], connected: connected.contains(node.id), load: loads[node.id])
        }
    }
}

extension Candidate {
    /// Reads what the drivers said in the last hello: `zfs` its `pools` with `name`, `health`, `size_bytes`, `free_bytes` and
    /// `available_bytes`. CPU and memory are columns of the node. What is missing or of another shape counts as not
    /// there, and what cannot be believed as what was approved.
    init(_ node: NodeRecord, promised: NodeLoad?, connected: Bool, load: Double?) {
        // One that has lost what it drives takes no new service.
        let drivers = (node.facts["drivers"]?.asArray?.compactMap(\.asObject) ?? []).filter {
            $0["facts"]?["absent"] == nil
        }
        let zfs = drivers.first { $0["name"] == .string("zfs") }
        let pools = zfs?["facts"]?["pools"]?.asArray ?? []
        let (believed, _) = NodeClaims(facts: node.facts).judged(against: node.approvedClaims)
        self.init(
            id: node.id, name: node.name, connected: connected, schedulable: node.schedulable,
            revoked: node.revokedAt != nil, approved: node.approvedAt != nil,
            drivers: Set(drivers.compactMap { $0["name"]?.asString }), labels: node.labels, cpuMillis: node.cpuMillis,
            memoryBytes: node.memoryBytes, foreignMemoryBytes: promised?.foreignMemoryBytes ?? 0,
            pools: pools.compactMap { PoolRoom($0, believed: believed.pools, promised: promised) },
            reserved: Resources(
                cpuMillis: promised?.cpuMillis ?? 0, memoryBytes: promised?.memoryBytes ?? 0,
                diskBytes: promised?.diskBytes ?? 0),
            services: promised?.services ?? 0, load: load)
    }
}

extension PoolRoom {
    /// What a pool says of itself that reads and writes; all else is a pool that does not, or one that nobody knows.
    private static let working: Set<String> = ["ONLINE", "DEGRADED"]

    /// Sizes of a pool are those of its disks, parity included, while what a data set may still take is usable room: the
    /// share of the one in the other is what of the whole can be sold.
    fileprivate init?(_ json: JSONValue, believed: [String: Int64], promised: NodeLoad?) {
        guard let name = json["name"]?.asString else { return nil }
        // One that stands still may tell sizes or none; either way, what is put there is lost or hangs.
        if let health = json["health"]?.asString, !Self.working.contains(health) {
            self.init(name: name, sizeBytes: 0, freeBytes: 0, reservedBytes: 0, fault: health.capped(to: 32))
            return
        }
        guard let size = json["size_bytes"]?.asInteger,
            let free = json["free_bytes"]?.asInteger
        else { return nil }
        let counted = max(0, min(size, believed[name] ?? 0))
        let available = max(0, min(json["available_bytes"]?.asInteger ?? free, free))
        let share = free > 0 ? Double(available) / Double(free) : 1
        let usable = Int64(min(0x1p62, Double(counted) * share))
        let used = Int64(min(0x1p62, Double(max(0, counted - min(free, counted))) * share))
        let reserved = promised?.pools[name] ?? 0
        // Where nobody told what our own data sets take, they take all that they were promised.
        let ours = promised?.usedBytes[name] ?? reserved
        self.init(
            name: name, sizeBytes: usable, freeBytes: min(available, usable), reservedBytes: reserved,
            othersBytes: max(0, used - ours))
    }
}
