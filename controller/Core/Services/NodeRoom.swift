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
    /// Reads what the drivers said in the last hello: `zfs` its `pools` with `name`, `size_bytes`,
    /// `free_bytes` and, where redundancy takes its share, `available_bytes`.
    /// CPU and memory are columns of the node. What is missing or of another shape counts as not there.
    init(_ node: NodeRecord, promised: NodeLoad?, connected: Bool, load: Double?) {
        let drivers = node.facts["drivers"]?.asArray?.compactMap(\.asObject) ?? []
        let zfs = drivers.first { $0["name"] == .string("zfs") }
        let pools = zfs?["facts"]?["pools"]?.asArray ?? []
        self.init(
            id: node.id, name: node.name, connected: connected, schedulable: node.schedulable,
            revoked: node.revokedAt != nil, drivers: Set(drivers.compactMap { $0["name"]?.asString }),
            labels: node.labels, cpuMillis: node.cpuMillis, memoryBytes: node.memoryBytes,
            pools: pools.compactMap { PoolRoom($0, promised: promised) },
            reserved: Resources(
                cpuMillis: promised?.cpuMillis ?? 0, memoryBytes: promised?.memoryBytes ?? 0,
                diskBytes: promised?.diskBytes ?? 0),
            services: promised?.services ?? 0, load: load)
    }
}

extension PoolRoom {
    fileprivate init?(_ json: JSONValue, promised: NodeLoad?) {
        guard let name = json["name"]?.asString, let size = json["size_bytes"]?.asInteger,
            let free = (json["available_bytes"] ?? json["free_bytes"])?.asInteger
        else { return nil }
        self.init(name: name, sizeBytes: size, freeBytes: free, reservedBytes: promised?.pools[name] ?? 0)
    }
}
