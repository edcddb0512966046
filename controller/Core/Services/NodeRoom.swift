package import Placement
package import Store

extension Store {
    /// Every node as the placement sees it. The questions it takes are the same few, however large the fleet is.
    package func candidates(connected: Set<String>, loads: [String: Double]) throws(StoreError) -> [Candidate] {
        let promised = try nodeLoads()
        return try rooms().map { room in
            Candidate(
                room, promised: promised[room.node], connected: connected.contains(room.node), load: loads[room.node])
        }
    }

    /// One node as the placement sees it.
    package func candidate(_ node: String, connected: Set<String>) throws(StoreError) -> Candidate? {
        guard let room = try room(of: node) else { return nil }
        return Candidate(room, promised: try nodeLoad(node), connected: connected.contains(node), load: nil)
    }
}

extension Candidate {
    init(_ room: NodeRoom, promised: NodeLoad?, connected: Bool, load: Double?) {
        self.init(
            id: room.node, name: room.name, connected: connected, schedulable: room.schedulable,
            draining: room.isDraining, revoked: room.isRevoked, approved: room.isApproved,
            drivers: Set(room.drivers), labels: room.labels, cpuMillis: room.cpuMillis, memoryBytes: room.memoryBytes,
            foreignMemoryBytes: promised?.foreignMemoryBytes ?? 0,
            pools: room.storages.map { PoolRoom($0, promised: promised) }, templates: room.templates.map(Set.init),
            reserved: Resources(
                cpuMillis: promised?.cpuMillis ?? 0, memoryBytes: promised?.memoryBytes ?? 0,
                diskBytes: promised?.diskBytes ?? 0),
            services: promised?.services ?? 0, load: load)
    }
}

extension PoolRoom {
    fileprivate init(_ storage: StorageRoom, promised: NodeLoad?) {
        let reserved = promised?.pools[storage.key] ?? 0
        // Where nobody told what our own data sets take, they take all that they were promised.
        let ours = promised?.usedBytes[storage.key] ?? reserved
        let kind: Kind =
            switch storage.kind {
            case .zfs: .zfs
            case .proxmox: .proxmox(contents: Set(storage.contents))
            case .folder: .folder
            }
        self.init(
            name: storage.name, kind: kind, sizeBytes: storage.sizeBytes, freeBytes: storage.freeBytes,
            reservedBytes: reserved, othersBytes: max(0, storage.takenBytes - ours), fault: storage.fault)
    }
}
