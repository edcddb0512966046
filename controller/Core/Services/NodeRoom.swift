package import Placement
package import Store

extension Store {
    /// Every node as the placement sees it. The questions it takes are the same few, however large the fleet is.
    /// - Parameter things: of which it is looked who lacks them.
    package func candidates(
        connected: Set<String>, loads: [String: Double], things: [Demand.Thing] = []
    ) throws(StoreError) -> [Candidate] {
        var lacking: [String: Set<String>] = [:]
        for thing in things {
            let having = Set(try nodes(reporting: thing.resource))
            for node in try nodes(reporting: thing.sign) where !having.contains(node) {
                lacking[node, default: []].insert(thing.resource)
            }
        }
        let promised = try nodeLoads()
        let rooms = try rooms()
        let shared = SharedPromises(rooms, promised)
        return rooms.map { room in
            var candidate = Candidate(
                room, promised: promised[room.node], shared, connected: connected.contains(room.node),
                load: loads[room.node])
            candidate.lacking = lacking[room.node] ?? []
            return candidate
        }
    }

    /// One node as the placement sees it.
    package func candidate(_ node: String, connected: Set<String>) throws(StoreError) -> Candidate? {
        guard let room = try room(of: node) else { return nil }
        var promised: [String: NodeLoad] = [:]
        promised[node] = try nodeLoad(node)
        var neighbours = [room]
        if room.cluster != nil, room.storages.contains(where: \.isShared) {
            neighbours = try rooms().filter { $0.cluster == room.cluster }
            for neighbour in neighbours where neighbour.node != node {
                promised[neighbour.node] = try nodeLoad(neighbour.node)
            }
        }
        return Candidate(
            room, promised: promised[node], SharedPromises(neighbours, promised),
            connected: connected.contains(node), load: nil)
    }
}

/// What is promised on storages that all nodes of a cluster reach: it counts on each of them.
private struct SharedPromises {
    private struct Place: Hashable {
        var cluster: String
        var storage: String
    }

    /// Promised, and taken by what is ours as far as somebody told.
    private var sums: [Place: (reserved: Int64, ours: Int64)] = [:]

    init(_ rooms: [NodeRoom], _ promised: [String: NodeLoad]) {
        for room in rooms {
            guard let cluster = room.cluster, let load = promised[room.node] else { continue }
            for storage in room.storages where storage.isShared {
                let reserved = load.pools[storage.key] ?? 0
                let place = Place(cluster: cluster, storage: storage.key)
                sums[place, default: (0, 0)].reserved += reserved
                sums[place, default: (0, 0)].ours += load.usedBytes[storage.key] ?? reserved
            }
        }
    }

    func sum(of storage: StorageRoom, in cluster: String?) -> (reserved: Int64, ours: Int64)? {
        guard storage.isShared, let cluster else { return nil }
        return sums[Place(cluster: cluster, storage: storage.key)] ?? (0, 0)
    }
}

extension Candidate {
    fileprivate init(
        _ room: NodeRoom, promised: NodeLoad?, _ shared: SharedPromises, connected: Bool, load: Double?
    ) {
        self.init(
            id: room.node, name: room.name, connected: connected, schedulable: room.schedulable,
            draining: room.isDraining, revoked: room.isRevoked, approved: room.isApproved,
            drivers: Set(room.drivers), labels: room.labels, cpuMillis: room.cpuMillis, memoryBytes: room.memoryBytes,
            foreignMemoryBytes: promised?.foreignMemoryBytes ?? 0,
            pools: room.storages.map { PoolRoom($0, promised, shared.sum(of: $0, in: room.cluster)) },
            templates: room.templates.map(Set.init), interfaces: room.interfaces.map(Set.init),
            reserved: Resources(
                cpuMillis: promised?.cpuMillis ?? 0, memoryBytes: promised?.memoryBytes ?? 0,
                diskBytes: promised?.diskBytes ?? 0),
            services: promised?.services ?? 0, load: load)
    }
}

extension PoolRoom {
    /// - Parameter shared: of a storage that the whole cluster reaches.
    fileprivate init(_ storage: StorageRoom, _ promised: NodeLoad?, _ shared: (reserved: Int64, ours: Int64)?) {
        let reserved = shared?.reserved ?? promised?.pools[storage.key] ?? 0
        // Where nobody told what our own data sets take, they take all that they were promised.
        let ours = shared?.ours ?? promised?.usedBytes[storage.key] ?? reserved
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
