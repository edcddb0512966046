import Model
import Testing

@testable import Placement

private let gib: Int64 = 1 << 30

private func node(
    _ id: String, pools: [PoolRoom] = [], labels: [String: String] = [:], draining: Bool = false,
    templates: Set<String>? = nil, interfaces: Set<String>? = nil
) -> Candidate {
    Candidate(
        id: id, name: id, connected: true, schedulable: !draining, draining: draining, drivers: ["proxmox"],
        labels: labels, cpuMillis: 8000, memoryBytes: 16 * gib, pools: pools, templates: templates,
        interfaces: interfaces)
}

private func room(
    _ name: String, _ kind: PoolRoom.Kind, size: Int64 = 100, free: Int64? = nil, reserved: Int64 = 0,
    others: Int64 = 0, fault: String? = nil
) -> PoolRoom {
    PoolRoom(
        name: name, kind: kind, sizeBytes: size * gib, freeBytes: (free ?? size) * gib, reservedBytes: reserved * gib,
        othersBytes: others * gib, fault: fault)
}

private func demand(_ storage: StorageDemand, disk: Int64 = 10, pool: String? = nil) -> Demand {
    Demand(
        resources: Resources(cpuMillis: 1000, memoryBytes: gib, diskBytes: disk * gib), drivers: [], storage: storage,
        pool: pool)
}

@Suite struct `Storage of any kind` {
    private let images = room("local-lvm", .proxmox(contents: ["images"]), size: 500)
    private let roots = room("tank", .proxmox(contents: ["rootdir", "images"]), size: 200)
    private let pool = room("tank", .zfs, size: 50)
    private let folder = room("/srv", .folder, size: 300)

    private func choice(_ demand: Demand) -> String? {
        Scheduler().place(demand, on: [node("n1", pools: [images, roots, pool, folder])]).choice?.pool
    }

    @Test func `is chosen by what may lie there, and named apart from others of its name`() {
        #expect(choice(demand(.zfs)) == "tank")
        #expect(choice(demand(.proxmox(content: "rootdir"))) == "proxmox:tank")
        #expect(choice(demand(.proxmox(content: "images"))) == "proxmox:local-lvm")
        #expect(choice(demand(.proxmox(content: "images"), pool: "tank")) == "proxmox:tank")
        #expect(choice(demand(.folder)) == "folder:/srv")
        #expect(choice(demand(.none)) == "")
    }

    @Test func `that is missing is told in its own words`() {
        func reason(_ demand: Demand) -> String? {
            Scheduler().place(demand, on: [node("n1", pools: [images])]).explanation.first
        }
        #expect(reason(demand(.zfs)) == "n1: it has no storage pool")
        #expect(reason(demand(.proxmox(content: "rootdir"))) == "n1: it has no storage for rootdir")
        #expect(
            reason(demand(.proxmox(content: "images"), pool: "fast")) == "n1: it has no storage for images fast")
        #expect(reason(demand(.folder)) == "n1: it has no folder for data")
        #expect(
            Scheduler().place(demand(.folder), on: [node("a"), node("b")]).reasons
                == "2 nodes (a, b): no folder for data")
    }

    @Test func `has the room that others and promises leave`() {
        func fits(_ room: PoolRoom, _ disk: Int64) -> Bool {
            Scheduler().place(demand(.folder, disk: disk), on: [node("n1", pools: [room])]).choice != nil
        }
        let room = room("/srv", .folder, size: 100, free: 70, reserved: 40, others: 30)
        #expect(fits(room, 30))
        #expect(!fits(room, 31))
    }

    @Test func `in trouble gets nothing new, and services there may grow elsewhere`() {
        let bad = room("tank", .zfs, fault: "SUSPENDED")
        let word = Scheduler().place(demand(.zfs), on: [node("n1", pools: [bad])])
        #expect(word.explanation == ["n1: its storage pool tank is suspended"])
        let growth = Demand(
            resources: Resources(cpuMillis: 0, memoryBytes: gib, diskBytes: 0), drivers: [], pool: "tank")
        #expect(Scheduler().objections(to: growth, on: node("n1", pools: [bad])) == [])
        // Beside a sound one it is passed over.
        let sound = room("zoo", .zfs, size: 20)
        #expect(Scheduler().place(demand(.zfs), on: [node("n1", pools: [bad, sound])]).choice?.pool == "zoo")
    }
}

@Suite struct `A node` {
    @Test func `that is drained takes nothing new, and what is there may still grow`() {
        let leaving = node("n1", draining: true)
        let result = Scheduler().place(demand(.none), on: [leaving])
        #expect(result.explanation == ["n1: it is being drained"])
        #expect(Scheduler().objections(to: demand(.none), on: leaving) == [])
    }

    @Test func `without a wanted network or template is passed over, and one that does not tell its templates is not`()
    {
        var wanted = demand(.none)
        wanted.networks = [
            Network(name: "lan", kind: .bridge, interface: "vmbr1", nodes: ["n1"], labels: ["zone": "a"])
        ]
        wanted.template = "debian-12"
        let nodes = [
            node("n1", templates: ["debian-11"]), node("n2", labels: ["zone": "a"], templates: ["debian-12"]),
            node("n3", labels: ["zone": "b"]), node("n4", labels: ["zone": "a"]),
        ]
        #expect(
            Scheduler().place(wanted, on: nodes).explanation.map {
                $0.split(separator: " ").prefix(5).joined(separator: " ")
            }
                == [
                    "n1: it has no template", "n2: chosen with a score", "n3: it has no network",
                    "n4: it fits with the",
                ])
    }

    @Test func `without the bridge of a network is passed over, and one that does not tell its bridges is not`() {
        var wanted = demand(.none)
        wanted.networks = [Network(name: "lan", kind: .bridge, interface: "vmbr1")]
        let nodes = [node("n1", interfaces: ["vmbr0"]), node("n2", interfaces: ["vmbr0", "vmbr1"]), node("n3")]
        func isOut(_ word: PlacementResult.Word) -> Bool { if case .excluded = word.verdict { true } else { false } }
        #expect(Scheduler().place(wanted, on: nodes).words.map(isOut) == [true, false, false])
        // What engines have is asked of them.
        wanted.networks[0].kind = .docker
        #expect(Scheduler().place(wanted, on: nodes).words.map(isOut) == [false, false, false])
    }

    @Test func `of a class is filled as its class may be`() {
        var rules = PlacementRules.standard
        rules.classes["burst"] = PlacementRules(
            cpuOvercommit: 16, memoryOvercommit: 2, diskOvercommit: 1, storageFloor: 0)
        let large = Demand(
            resources: Resources(cpuMillis: 0, memoryBytes: 30 * gib, diskBytes: 0), drivers: [], storage: .none)
        let nodes = [node("n1"), node("n2", labels: ["class": "burst"]), node("n3", labels: ["class": "unheard-of"])]
        let result = Scheduler(rules: rules).place(large, on: nodes)
        #expect(result.choice?.node == "n2")
        #expect(result.words.map { if case .excluded = $0.verdict { true } else { false } } == [true, false, true])
    }
}
