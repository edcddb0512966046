import Model
import Testing
import WireProtocol

@testable import Store

@Suite(.onEveryEngine) struct `What a service holds` {
    let fixture: StoreFixture
    var store: Store { fixture.store }
    private let scope = AllocationScope.network("lan").text

    init() throws { fixture = try StoreFixture() }

    private func take(
        _ service: String, _ candidates: [String], slot: String = "", kind: String = "ip", after seconds: Int64 = 0
    ) async throws -> String {
        try await store.allocate(
            AllocationRequest(kind: kind, scope: scope, candidates: candidates, service: service, slot: slot),
            at: fixture.at(seconds)
        ).value
    }

    @Test func `is known afterwards, and rests before another one gets it`() async throws {
        #expect(try await take("s1", ["192.0.2.1"]) == "192.0.2.1")
        #expect(try await take("s1", ["192.0.2.2"], slot: "public") == "192.0.2.2")
        try await store.releaseAll(service: "s1", at: fixture.at(100))
        #expect(try await store.allocations(service: "s1").isEmpty)
        let history = try await store.allocations(AllocationFilter(service: "s1", withHistory: true)).items
        #expect(history.map(\.value) == ["192.0.2.1", "192.0.2.2"])
        #expect(history.map(\.releasedAt) == [fixture.at(100), fixture.at(100)])
        let day: Int64 = 86_400
        let early = await failure { _ = try await take("s2", ["192.0.2.1"], after: 100 + day - 1) }
        #expect(early == .exhausted(kind: "ip", scope: scope))
        #expect(try await take("s2", ["192.0.2.1"], after: 100 + day) == "192.0.2.1")
        // Who had it at what time is told apart.
        let both = try await store.allocations(AllocationFilter(value: "192.0.2.1", withHistory: true)).items
        #expect(both.map(\.service) == ["s1", "s2"])
        #expect(both.map { $0.releasedAt == nil } == [false, true])
        #expect(try await store.pruneAllocations(before: fixture.at(101)) == 2)
        #expect(try await store.pruneWithheld(before: fixture.at(100 + day + 1)) == 2)
        #expect(try await store.allocations(AllocationFilter(withHistory: true)).items.map(\.service) == ["s2"])
    }

    @Test func `may come and go within a millisecond, or while the clock goes back`() async throws {
        for round in 0..<3 {
            let service = "s\(round)"
            #expect(try await take(service, ["80"], kind: "port", after: Int64(-round)) == "80")
            try await store.releaseAll(service: service, at: fixture.at(Int64(-round)))
        }
        #expect(try await store.allocations(AllocationFilter(kind: "port", withHistory: true)).items.count == 3)
    }

    @Test func `is nothing that is reserved or that a tool has found elsewhere`() async throws {
        let reserved = WithheldValue(
            kind: "ip", scope: scope, value: "192.0.2.1", reason: .reserved, note: "router", since: fixture.start)
        try await store.withhold(reserved)
        let record = try await store.allocate(
            AllocationRequest(kind: "ip", scope: scope, candidates: ["192.0.2.1", "192.0.2.2"], service: "s1"),
            at: fixture.start)
        #expect(record.value == "192.0.2.2")
        try await store.disown(record, because: "somebody answers there", at: fixture.at(1))
        #expect(try await take("s1", ["192.0.2.2", "192.0.2.3"]) == "192.0.2.3")
        #expect(try await take("s2", ["192.0.2.2", "192.0.2.4"]) == "192.0.2.4")
        // What is reserved stays so, whatever is said of it later.
        try await store.withhold(
            WithheldValue(
                kind: "ip", scope: scope, value: "192.0.2.1", reason: .resting, since: fixture.at(2),
                until: fixture.at(3)))
        let kept = try await store.withheldValues(kind: "ip").items
        #expect(Set(kept.map(\.reason)) == [.reserved, .foreign])
        #expect(try await store.freeWithheld(reserved.id))
        #expect(try await !store.freeWithheld(reserved.id))
        #expect(try await take("s3", ["192.0.2.1"]) == "192.0.2.1")
    }

    private func report(_ node: String, _ items: [(String, JSONObject)], isFull: Bool = true) async throws {
        try await store.recordInventory(
            InventoryReport(
                node: node, driver: "proxmox", generation: 1, isFull: isFull,
                items: items.map { (resource: $0.0, state: $0.1) }),
            at: fixture.start)
    }

    private func vmid(_ service: String, _ sightings: SightingScope) async throws -> String {
        var request = AllocationRequest(
            kind: "vmid", scope: "cluster/pve", candidates: ["100", "101", "102", "103"], service: service)
        request.sightings = sightings
        return try await store.allocate(request, at: fixture.start).value
    }

    @Test func `is nothing that inventory shows at others on any node of the cluster`() async throws {
        for (id, cluster) in [("n1", "pve"), ("n2", "pve"), ("n3", "other")] {
            let facts: JSONObject = [
                "drivers": [["name": "proxmox", "facts": ["cluster": .string(cluster)]]]
            ]
            let node = NodeRecord(id: id, name: id, facts: facts, enrolledAt: fixture.start)
            #expect(node.cluster == cluster)
            try await store.insertNode(node)
        }
        try await report("n1", [("proxmox/ct/100", ["vmid": 100])])
        try await report("n2", [("proxmox/ct/101", ["vmid": 101, "owner": "mine"])])
        try await report("n3", [("proxmox/ct/102", ["vmid": 102])])
        #expect(try await vmid("s1", .cluster("pve")) == "102")
        // What bears the service's own mark is the service's.
        #expect(try await vmid("mine", .cluster("pve")) == "101")
        #expect(try await vmid("s2", .node("n3")) == "100")
        // It is gone with its guest, and with its node.
        try await report("n1", [])
        try await store.releaseAll(service: "s2", at: fixture.start)
        #expect(try await vmid("s3", .everywhere) == "103")
    }

    @Test func `is no address or device of a guest that nobody has marked`() async throws {
        let network: JSONObject = [
            "ip": "192.0.2.7/24", "ip6": "2001:DB8:0::7/64", "mac": "BC:24:11:00:00:01", "name": "eth0",
        ]
        try await report("n1", [("proxmox/ct/100", ["networks": [.object(network), ["ip": "dhcp"]]])])
        for (kind, value) in [("ip", "192.0.2.7"), ("ip", "2001:db8::7"), ("mac", "bc:24:11:00:00:01")] {
            var request = AllocationRequest(kind: kind, scope: "x", candidates: [value], service: "s1")
            request.sightings = .everywhere
            let seen = request
            #expect(
                await failure { _ = try await store.allocate(seen, at: fixture.start) }
                    == .exhausted(kind: kind, scope: "x"))
            request.sightings = .node("n2")
            let elsewhere = request
            #expect(try await store.allocate(elsewhere, at: fixture.start).value == value)
            try await store.releaseAll(service: "s1", at: fixture.start)
        }
    }

    /// Takes and gives back at random, beside a book that is kept by hand.
    @Test(arguments: 1...20)
    func `is never held by two, and all of it is used before there is none`(seed: UInt64) async throws {
        var state = seed
        func dice(_ sides: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % sides
        }
        let values = (0..<12).map { "\(100 + $0)" }
        var held: [String: String] = [:]
        for step in 0..<80 {
            let service = "s\(dice(16))"
            if dice(3) == 0 {
                try await store.releaseAll(service: service, at: fixture.at(Int64(step)))
                held = held.filter { $0.value != service }
                continue
            }
            let known = held.first { $0.value == service }?.key
            do {
                let value = try await take(service, values, kind: "port", after: Int64(step))
                #expect(known == nil ? held[value] == nil : known == value)
                held[value] = service
            } catch StoreError.exhausted {
                #expect(known == nil && held.count == values.count)
            }
        }
        let kept = try await store.allocations(AllocationFilter(kind: "port")).items
        #expect(Dictionary(kept.map { ($0.value, $0.service) }, uniquingKeysWith: { one, _ in one }) == held)
        #expect(kept.count == held.count)
    }

    @Test func `is listed page by page, each once`() async throws {
        for number in 0..<25 { _ = try await take("s\(number)", ["192.0.2.\(number)"]) }
        var (seen, after): ([String], String?) = ([], nil)
        repeat {
            let page = try await store.allocations(page: PageRequest(after: after, limit: 7))
            seen += page.items.map(\.value)
            after = page.next
        } while after != nil
        #expect(seen == (0..<25).map { "192.0.2.\($0)" }.sorted())
        #expect(
            await failure { _ = try await store.allocations(page: PageRequest(after: "x")) }
                == .invalid("that is no place in the allocations"))
    }

    @Test func `of a network is counted and found by its name alone`() async throws {
        for (index, scope) in ["network/lan", "network/lan/n1", "network/lan-2", "network/lan.x"].enumerated() {
            _ = try await store.allocate(
                AllocationRequest(kind: "ip", scope: scope, candidates: ["10.0.0.\(index)"], service: "s\(index)"),
                at: fixture.start)
        }
        #expect(try await store.heldAddresses() == ["lan": 2, "lan-2": 1, "lan.x": 1])
        let first = try await store.holders(network: "lan", limit: 1)
        #expect(first.map(\.value) == ["10.0.0.0"])
        #expect(try await store.holders(network: "lan", after: first[0], limit: 9).map(\.value) == ["10.0.0.1"])
    }
}
