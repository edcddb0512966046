import Model
import Testing
import WireProtocol

@testable import Store

@Suite(.onEveryEngine) struct `The records of the store` {
    let fixture: StoreFixture
    var store: Store { fixture.store }

    init() throws { fixture = try StoreFixture() }

    @Test func `come back as they were written`() async throws {
        let node = NodeRecord(
            id: "n1", name: "a.example", labels: ["b": "1", "a": "\"ü"], schedulable: false, state: .connected,
            lastSeen: fixture.at(1), agentVersion: "1.0", facts: ["drivers": [["name": "docker"]]], boot: "boot",
            cpuMillis: 4000, memoryBytes: 1 << 40, diskBytes: 1 << 50, enrolledAt: fixture.start,
            revokedAt: fixture.at(2), certificateSerial: "01", certificateFingerprint: "ff",
            certificateExpires: fixture.at(3), approvedAt: fixture.at(4),
            approvedClaims: NodeClaims(cpuMillis: 4000, memoryBytes: 1 << 40, pools: ["tank": 1 << 50]))
        try await store.insertNode(node)
        #expect(try await store.node("n1") == node)
        #expect(try await store.node(named: "a.example") == node)

        let service = try await fixture.service(node: "n1")
        #expect(try await store.service("s1") == service)
        #expect(try await store.service(externalID: "ext-s1") == service)

        var operation = OperationRecord(
            id: "op1", kind: "upgrade", service: "s1", node: "n1", parameters: ["x": [1, 2.5, nil]],
            result: .array([true]),
            error: OperationFailure(code: "busy", message: "no", retryable: true, resource: "docker/s1"),
            requestedBy: "key_1", idempotencyKey: "k", createdAt: fixture.start)
        operation = try await store.insertOperation(operation)
        #expect(operation.position == 1)
        #expect(try await store.operation("op1") == operation)
    }

    @Test func `are refused twice, with the field named`() async throws {
        try await fixture.node("n1")
        let twin = NodeRecord(id: "n2", name: "n1.example", enrolledAt: fixture.start)
        #expect(
            await failure { try await store.insertNode(twin) } == .conflict(kind: "node", field: "name"))
        try await fixture.service("s1")
        let service = ServiceRecord(
            id: "s2", externalID: "ext-s1", customer: "c", plan: "p", createdAt: fixture.start, updatedAt: fixture.start
        )
        let error = await failure { try await store.insertService(service) }
        #expect(error == .conflict(kind: "service", field: "external_id"))
        #expect(error?.description == "there is a service with the same external_id already")
    }

    @Test func `are paged in both directions without a row twice or left out`() async throws {
        for number in 0..<25 {
            try await fixture.service("s\(100 + number)")
        }
        for order in [PageRequest.Order.ascending, .descending] {
            var seen: [String] = []
            var request = PageRequest(limit: 10, order: order)
            repeat {
                let page = try await store.services(page: request)
                seen += page.items.map(\.id)
                request.after = page.next
            } while request.after != nil
            let ids = (0..<25).map { "s\(100 + $0)" }
            #expect(seen == (order == .ascending ? ids : ids.reversed()))
        }
        #expect(try await store.services(page: PageRequest(limit: 25)).next == nil)
    }

    @Test func `are filtered`() async throws {
        try await fixture.node("n1")
        try await fixture.service("s1", node: "n1")
        try await fixture.service("s2")
        try await store.updateService("s2", at: fixture.at(5)) { $0.state = .running }
        func ids(_ filter: ServiceFilter) async throws -> [String] {
            try await store.services(filter).items.map(\.id)
        }
        #expect(try await ids(ServiceFilter(node: "n1")) == ["s1"])
        #expect(try await ids(ServiceFilter(states: [.running])) == ["s2"])
        #expect(try await ids(ServiceFilter(states: [])) == [])
        #expect(try await ids(ServiceFilter(customer: "c1", plan: "small")) == ["s1", "s2"])
        #expect(try await ids(ServiceFilter(customer: "'; DROP TABLE services; --")) == [])
        try await fixture.operation("op1", service: "s1")
        #expect(try await store.operations(OperationFilter(customer: "c1")).items.map(\.id) == ["op1"])
        #expect(try await store.operations(OperationFilter(customer: "c2")).items.isEmpty)
        #expect(try await store.services(onNode: "n1").map(\.id) == ["s1"])
    }

    @Test func `are revoked once, a node with its certificates`() async throws {
        try await fixture.node("n1")
        for serial in ["01", "02"] {
            try await store.insertCertificate(
                CertificateRecord(
                    serial: serial, node: "n1", fingerprint: "f\(serial)", issuedAt: fixture.start,
                    expiresAt: fixture.at(100)))
        }
        #expect(try await store.node("n1")?.certificateSerial == "02")
        #expect(try await store.nodesWithCertificate(expiringBefore: fixture.at(101)).map(\.id) == ["n1"])
        #expect(try await store.revokeNode("n1", at: fixture.at(5)))
        #expect(try await !store.revokeNode("n1", at: fixture.at(6)))
        #expect(try await store.node("n1")?.revokedAt == fixture.at(5))
        #expect(try await store.certificate(fingerprint: "f01")?.revokedAt == fixture.at(5))
        #expect(try await store.nodesWithCertificate(expiringBefore: fixture.at(101)).isEmpty)
    }

    @Test func `note signs of life of many nodes and never go back`() async throws {
        try await fixture.node("n1")
        try await fixture.node("n2")
        try await store.recordSeen(["n1": fixture.at(9), "n2": fixture.at(3), "gone": fixture.at(1)])
        try await store.recordSeen(["n1": fixture.at(4)])
        #expect(try await store.node("n1")?.lastSeen == fixture.at(9))
        #expect(try await store.allNodes().map(\.lastSeen) == [fixture.at(9), fixture.at(3)])
    }

    @Test func `keep every revision of a plan`() async throws {
        let first = try await store.putPlan("small", spec: ["memory_bytes": 1], at: fixture.start)
        #expect(try await store.putPlan("small", spec: ["memory_bytes": 1], at: fixture.at(1)) == first)
        let second = try await store.putPlan("small", spec: ["memory_bytes": 2], at: fixture.at(2))
        #expect(second.revision == 2)
        _ = try await store.putPlan("large", spec: [:], at: fixture.at(2))
        #expect(try await store.plan("small") == second)
        #expect(try await store.plan("small", revision: 1) == first)
        #expect(try await store.plans().items.map(\.name) == ["large", "small"])
        #expect(try await store.retirePlan("small", at: fixture.at(3)))
        #expect(try await !store.retirePlan("small", at: fixture.at(4)))
        #expect(try await store.putPlan("small", spec: ["memory_bytes": 2], at: fixture.at(5)).revision == 3)
    }

    @Test func `take over an inventory, in full or by what changed`() async throws {
        try await fixture.node("n1")
        func report(_ full: Bool, _ items: [(resource: String, state: JSONObject)], _ removed: [String] = [])
            async throws
        {
            try await store.recordInventory(
                InventoryReport(
                    node: "n1", driver: "docker", generation: 1, isFull: full, items: items, removed: removed),
                at: fixture.start)
        }
        try await report(true, [("docker/a", ["state": "running"]), ("docker/b", [:])])
        try await report(false, [("docker/c", [:])], ["docker/b"])
        #expect(try await store.inventory(node: "n1").map(\.resource) == ["docker/a", "docker/c"])
        try await report(true, [("docker/a", ["state": "exited"])])
        #expect(try await store.inventory(node: "n1").map(\.resource) == ["docker/a"])
        #expect(try await store.inventory(node: "n1", resource: "docker/a")?.state["state"] == "exited")
    }

    @Test func `nothing is remembered of a node that was removed`() async throws {
        let node = try await fixture.node("gone")
        _ = try await store.openJournal(node: node.id, epoch: "e1", at: fixture.start)
        _ = try await store.take(
            Intake(
                node: node.id, series: [SeriesSet(set: "s", names: ["a"])],
                samples: [SampleRow(seq: 1, time: fixture.at(1), set: "s", values: [1])]))
        #expect(try await store.positions(node: node.id).metrics == 1)
        try await store.removeNode(node.id, at: fixture.start)
        #expect(try await store.positions(node: node.id) == Positions())
        #expect(try await store.agentJournal(of: node.id) == nil)
        // The names went with what was measured: nobody must go on writing under their number.
        for table in ["metric_rows", "metric_series"] { await store.damage("DELETE FROM \(table)") }
        let late = Intake(node: node.id, samples: [SampleRow(seq: 2, time: fixture.at(2), set: "s", values: [1])])
        #expect(await failure { _ = try await store.take(late) } == .notFound(kind: "series set", id: "s"))
    }
}
