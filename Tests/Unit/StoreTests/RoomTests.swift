import Model
import Testing
import WireProtocol

@testable import Store

@Suite(.onEveryEngine) struct `What placement reads of a node` {
    let fixture: StoreFixture
    var store: Store { fixture.store }

    init() throws { fixture = try StoreFixture() }

    private let facts: JSONObject = [
        "drivers": [
            [
                "name": "zfs",
                "facts": [
                    "pools": [
                        ["name": "tank", "size_bytes": 400, "free_bytes": 200, "available_bytes": 100],
                        ["name": "unapproved", "size_bytes": 400, "free_bytes": 400],
                    ]
                ],
            ],
            [
                "name": "proxmox",
                "facts": [
                    "storages": [
                        [
                            "storage": "local", "total_bytes": 50, "available_bytes": 20, "active": true,
                            "shared": true,
                        ],
                        ["storage": "nfs", "total_bytes": -5, "available_bytes": 20, "active": false],
                        ["storage": "nothing"],
                    ], "templates": ["debian-12"], "interfaces": ["vmbr0"], "cluster": "lab",
                ],
            ], ["name": "docker", "facts": ["absent": "gone"]],
        ]
    ]

    @Test func `follows what the node says, as far as it is believed`() async throws {
        try await store.insertNode(
            NodeRecord(
                id: "n1", name: "one", labels: ["zone": "a"], facts: facts, cpuMillis: 1000, memoryBytes: 7,
                enrolledAt: fixture.start, approvedAt: fixture.start,
                approvedClaims: NodeClaims(pools: ["tank": 400, "unapproved": 0])))
        let room = try #require(try await store.room(of: "n1"))
        #expect(room.drivers == ["proxmox", "zfs"])
        #expect(room.templates == ["debian-12"] && room.interfaces == ["vmbr0"] && room.cluster == "lab")
        #expect(room.storages.map(\.isShared) == [false, false, true, false])
        // Of a pool that keeps everything twice half can be sold, and half of that is taken.
        #expect(
            room.storages.map { [$0.sizeBytes, $0.freeBytes, $0.takenBytes] }
                == [[200, 100, 100], [0, 0, 0], [50, 20, 30], [0, 0, 0]])
        #expect(room.storages.map(\.key) == ["tank", "unapproved", "proxmox:local", "proxmox:nfs"])
        #expect(room.storages.map(\.fault) == [nil, nil, nil, "INACTIVE"])
        #expect(try await store.rooms() == [room])
        try await store.updateNode("n1") { ($0.drain, $0.schedulable) = (.stops, false) }
        let later = try #require(try await store.room(of: "n1"))
        #expect(later.isDraining && !later.schedulable)
        #expect(try await store.node("n1")?.drain == .stops)
        try await store.removeNode("n1", at: fixture.start)
        #expect(try await store.rooms().isEmpty)
    }

    @Test func `is made where a version before has left none`() async throws {
        try await fixture.node("n1")
        await store.damage("DELETE FROM rooms")
        await store.close()
        let again = try fixture.reopened()
        #expect(try await again.rooms().map(\.node) == ["n1"])
    }

    @Test func `sums what services are promised, and loses nothing when they move`() async throws {
        func reserve(_ service: String, _ node: String, _ bytes: Int64) async throws {
            try await store.reserve(
                Reservation(
                    service: service, node: node, pool: "tank", cpuMillis: 1, memoryBytes: bytes, diskBytes: bytes,
                    createdAt: fixture.start))
        }
        try await reserve("s1", "n1", 5)
        try await reserve("s2", "n1", 7)
        #expect(try await store.nodeLoad("n1")?.pools == ["tank": 12])
        try await reserve("s1", "n2", 6)
        #expect(try await store.nodeLoad("n1")?.pools == ["tank": 7])
        #expect(try await store.nodeLoad("n2")?.memoryBytes == 6)
        try await store.releaseReservation(service: "s2")
        #expect(try await store.nodeLoad("n1") == nil)
        try await store.releaseAll(service: "s1", at: fixture.start)
        #expect(try await store.nodeLoads().isEmpty)
    }

    private func sample(_ seq: Int64, _ seconds: Int64, idle: Double?) async throws {
        _ = try await store.take(
            Intake(
                node: "n1", series: [SeriesSet(set: "s", names: ["up", "host.cpu.idle"])],
                samples: [SampleRow(seq: seq, time: fixture.at(seconds), set: "s", values: [1, idle])]))
    }

    @Test(arguments: [(100.0, 0.0), (75, 0.25), (0, 1), (120, 0), (-5, 1)])
    func `knows how busy it is as what its processors are not idle`(idle: Double, busy: Double) async throws {
        try await sample(1, 100, idle: idle)
        #expect(await store.measuredLoads(at: fixture.at(100)) == ["n1": busy])
    }

    @Test func `knows how busy it is from the newest sample, while that is fresh`() async throws {
        try await sample(1, 100, idle: 25)
        // What comes late says nothing of now, and neither does what is no number.
        try await sample(2, 50, idle: 90)
        try await sample(3, 110, idle: nil)
        #expect(await store.measuredLoads(at: fixture.at(399)) == ["n1": 0.75])
        #expect(await store.measuredLoads(at: fixture.at(400)) == [:])
    }
}
