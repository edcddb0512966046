import Model
import Testing
import WireProtocol

@testable import Store

private let tebi: Int64 = 1 << 40

@Suite(.onEveryEngine) struct `What a node claims` {
    private let approved = NodeClaims(cpuMillis: 16_000, memoryBytes: 64 << 30, pools: ["tank": 4 * tebi])

    @Test func `counts as it is where it is possible`() {
        let (believed, doubts) = approved.judged(against: nil)
        #expect(believed == approved && doubts.isEmpty)
    }

    @Test func `may grow as machines do, and shrink as it likes`() {
        let grown = NodeClaims(cpuMillis: 32_000, memoryBytes: 128 << 30, pools: ["tank": 8 * tebi])
        #expect(grown.judged(against: approved).believed == grown)
        let less = NodeClaims(cpuMillis: 1000, memoryBytes: 1 << 30)
        #expect(less.judged(against: approved).believed == less)
    }

    @Test(arguments: [
        NodeClaims(cpuMillis: 5_000_000), NodeClaims(cpuMillis: -1), NodeClaims(memoryBytes: 65 * tebi),
        NodeClaims(pools: ["tank": 8 << 50]), NodeClaims(pools: ["tank": .min]), NodeClaims(pools: ["tank": .max]),
    ])
    func `is nothing where no machine has so much`(claims: NodeClaims) throws {
        let (believed, doubts) = claims.judged(against: nil)
        #expect(doubts.count == 1 && doubts.first?.isGrowth == false)
        #expect(believed.cpuMillis == 0 && believed.memoryBytes == 0 && believed.diskBytes == 0)
        // What was approved before is what counts then.
        let (kept, _) = claims.judged(against: NodeClaims(cpuMillis: 7, memoryBytes: 7, pools: ["tank": 7]))
        #expect(Set([kept.cpuMillis, kept.memoryBytes, kept.diskBytes]).isSubset(of: [0, 7]))
        #expect(kept.cpuMillis + kept.memoryBytes + kept.diskBytes == 7)
    }

    @Test func `is one machine's disks, however many pools it names`() {
        let many = NodeClaims(pools: ["a": 3 << 50, "b": 3 << 50])
        #expect(many.judged(against: nil).believed.pools == ["a": 3 << 50, "b": 0])
    }

    @Test func `counts as approved where it has grown too far, and a new pool is asked about`() {
        let claims = NodeClaims(cpuMillis: 16_000, memoryBytes: 129 << 30, pools: ["tank": 9 * tebi, "new": tebi])
        let (believed, doubts) = claims.judged(against: approved)
        #expect(believed.memoryBytes == 64 << 30 && believed.pools == ["tank": 4 * tebi, "new": 0])
        #expect(doubts.count == 3 && doubts.allSatisfy { $0.isGrowth && "\($0)".contains("approve the node again") })
    }

    @Test func `is read from a hello and kept`() throws {
        let facts: JSONObject = [
            "drivers": [
                ["name": "host", "facts": ["processors": 8, "memory_bytes": 1024]],
                ["name": "zfs", "facts": ["pools": [["name": "tank", "size_bytes": 77], ["name": "broken"]]]],
            ]
        ]
        let claims = NodeClaims(facts: facts)
        #expect(claims == NodeClaims(cpuMillis: 8000, memoryBytes: 1024, pools: ["tank": 77]))
        #expect(NodeClaims(json: claims.json) == claims)
        #expect(NodeClaims(json: [:]) == nil)
        #expect(
            NodeClaims(facts: ["drivers": [["name": "host", "facts": ["processors": .integer(.max)]]]]).cpuMillis
                == .max)
    }
}

@Suite(.onEveryEngine) struct `The sums of an inventory` {
    @Test func `tell what guests of others may take, and what our data sets do`() async throws {
        let fixture = try StoreFixture()
        try await fixture.node()
        func report(_ driver: String, _ items: [(resource: String, state: JSONObject)]) async throws {
            try await fixture.store.recordInventory(
                InventoryReport(node: "n1", driver: driver, generation: 1, isFull: true, items: items),
                at: fixture.start)
        }
        try await report(
            "proxmox",
            [
                ("proxmox/ct/100", ["status": "running", "memory_mib": 512]),
                ("proxmox/ct/101", ["status": "running", "memory_mib": 256, "owner": "svc_1"]),
                ("proxmox/ct/102", ["status": "stopped", "memory_mib": 128]),
            ])
        try await report(
            "zfs",
            [
                ("zfs/tank/innkeeper", ["used_bytes": 4096]), ("zfs/tank/other", ["used_bytes": 9999]),
                ("zfs/tank/deep/innkeeper", ["used_bytes": 1]),
            ])
        let load = try #require(try await fixture.store.nodeLoads()["n1"])
        #expect(load.foreignMemoryBytes == 512 << 20)
        #expect(load.usedBytes == ["tank": 4096])
        try await report("proxmox", [])
        #expect(try await fixture.store.nodeLoads()["n1"]?.foreignMemoryBytes == 0)
    }
}
