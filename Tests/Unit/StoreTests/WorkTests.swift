import Model
import Testing
import WireProtocol

@testable import Store

@Suite(.onEveryEngine) struct `Operations, allocations and requests` {
    let fixture: StoreFixture
    var store: Store { fixture.store }

    init() throws { fixture = try StoreFixture() }

    @Test func `are numbered within their service, and claimed once`() async throws {
        try await fixture.service("s1")
        try await fixture.service("s2")
        #expect(try await fixture.operation("op1").position == 1)
        #expect(try await fixture.operation("op2").position == 2)
        #expect(try await fixture.operation("op3", service: "s2").position == 1)
        try await fixture.operation("op4", service: nil)
        try await fixture.operation("op5", service: nil)
        #expect(try await store.claimOperation("op1", at: fixture.at(1))?.startedAt == fixture.at(1))
        #expect(try await store.claimOperation("op1", at: fixture.at(2)) == nil)
        #expect(try await store.runningOperations().map(\.id) == ["op1"])
        try await store.updateOperation("op1") { $0.state = .succeeded }
        #expect(try await store.unfinishedOperations(service: "s1").map(\.id) == ["op2"])
    }

    @Test func `journal in one transaction with the states that follow from it`() async throws {
        try await fixture.service()
        try await fixture.operation()
        let last = try await store.appendJournal("op1", after: 0, [["a": 1], "b"], at: fixture.start)
        #expect(last == 2)
        let now = fixture.at(4)
        try await store.appendJournal("op1", after: 2, ["done"], at: now) { store throws(StoreError) in
            try store.updateOperation("op1") { $0.state = .succeeded }
            try store.updateService("s1", at: now) { $0.state = .running }
        }
        #expect(try await store.journal("op1").map(\.entry) == [["a": 1], "b", "done"])
        #expect(try await store.journal("op1", after: 2).map(\.seq) == [3])
        #expect(try await store.service("s1")?.state == .running)
        #expect(try await store.service("s1")?.updatedAt == now)

        // A second executor, or a change that fails, leaves no trace.
        #expect(
            await failure { try await store.appendJournal("op1", after: 2, ["late"], at: now) }
                == .conflict(kind: "journal entry", field: "seq"))
        let error = await failure {
            try await store.appendJournal("op1", after: 3, ["more"], at: now) { store throws(StoreError) in
                try store.updateOperation("op1") { $0.state = .failed }
                try store.updateService("none", at: now) { $0.state = .failed }
            }
        }
        #expect(error == .notFound(kind: "service", id: "none"))
        #expect(try await store.journal("op1").count == 3)
        #expect(try await store.operation("op1")?.state == .succeeded)
        #expect(await failure { try await store.appendJournal("none", after: 0, ["x"], at: now) } != nil)
    }

    @Test func `log lines with numbers, up to a limit that is said`() async throws {
        try await fixture.service()
        try await fixture.operation()
        let line = OperationLogLine(time: fixture.start, level: "info", step: "place", text: "hello")
        try await store.appendLog("op1", [line, line])
        try await store.appendLog("op1", [line])
        #expect(try await store.log("op1", after: 1).map(\.seq) == [2, 3])
        try await store.appendLog("op1", [OperationLogLine](repeating: line, count: 12_000))
        let last = try await store.log("op1", after: Store.operationLogLimit - 2)
        #expect(last.map(\.level) == ["info", "warning"])
        try await store.appendLog("op1", [line])
        #expect(try await store.log("op1", after: Store.operationLogLimit).isEmpty)
    }

    @Test func `take each value once, and the same one again when asked again`() async throws {
        func take(_ service: String, _ candidates: [String], scope: String = "n1") async throws -> String {
            try await store.allocate(
                AllocationRequest(
                    kind: "port", scope: scope, candidates: candidates, node: "n1", service: service, operation: "op"),
                at: fixture.start
            ).value
        }
        #expect(try await take("s1", ["80", "81"]) == "80")
        #expect(try await take("s1", ["90"]) == "80")
        #expect(try await take("s2", ["80", "81"]) == "81")
        // A second one of the kind, for another purpose, is another value, and the same again when asked again.
        let admin = AllocationRequest(
            kind: "port", scope: "n1", candidates: ["80", "81", "82"], service: "s1", slot: "admin")
        for _ in 1...2 { #expect(try await store.allocate(admin, at: fixture.start).value == "82") }
        #expect(try await take("s3", ["80"], scope: "n2") == "80")
        #expect(await failure { _ = try await take("s4", ["80", "81"]) } == .exhausted(kind: "port", scope: "n1"))
        #expect(
            try await !store.releaseAllocation(kind: "port", scope: "n1", value: "80", service: "s2", at: fixture.start)
        )
        #expect(
            try await store.releaseAllocation(kind: "port", scope: "n1", value: "80", service: "s1", at: fixture.start))
        #expect(try await take("s4", ["80", "81"]) == "80")
    }

    @Test func `give no value to two of many that want it at once`() async throws {
        let fixture = fixture
        let taken = try await withThrowingTaskGroup(of: String.self) { group in
            for number in 0..<50 {
                group.addTask {
                    try await fixture.store.allocate(
                        AllocationRequest(
                            kind: "vmid", candidates: (100..<150).map { "\($0)" }, service: "s\(number)"),
                        at: fixture.start
                    ).value
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(taken).count == 50)
    }

    @Test func `sum what is promised on each node, and find what nobody holds`() async throws {
        for (service, node, pool) in [
            ("s1", "n1", "tank"), ("s2", "n1", "fast"), ("s3", "n2", nil), ("s4", "n1", "tank"),
        ] {
            try await fixture.service(service)
            try await store.reserve(
                Reservation(
                    service: service, node: node, pool: pool, cpuMillis: 100, memoryBytes: 10, diskBytes: 1,
                    createdAt: fixture.start))
        }
        try await store.reserve(
            Reservation(
                service: "s1", node: "n1", pool: "tank", cpuMillis: 200, memoryBytes: 20, diskBytes: 5,
                createdAt: fixture.start))
        let loads = try await store.nodeLoads()
        #expect(
            loads["n1"]
                == NodeLoad(
                    node: "n1", services: 3, cpuMillis: 400, memoryBytes: 40, diskBytes: 7,
                    pools: ["tank": 6, "fast": 1]))
        #expect(loads["n2"]?.pools == [:])
        _ = try await store.allocate(
            AllocationRequest(kind: "vmid", candidates: ["100"], service: "s1"), at: fixture.start)
        _ = try await store.allocate(
            AllocationRequest(kind: "vmid", candidates: ["101"], service: "never"), at: fixture.start)
        #expect(try await store.orphanedAllocations().map(\.value) == ["101"])
        try await store.updateService("s1", at: fixture.start) { $0.state = .terminated }
        #expect(try await store.orphanedAllocations().map(\.value) == ["100", "101"])
        for (kind, service) in [("service.drift", "s1"), ("service.drift", "s2"), ("operation.stuck", "s1")] {
            try await store.raise(
                Finding(
                    kind, subject: "service/\(service)", .error, service: service, summary: "It is gone.",
                    remedy: "Look."), at: fixture.start)
        }
        try await store.releaseAll(service: "s1", at: fixture.at(1))
        let told = try await store.findings(FindingFilter(withResolved: true)).items
        #expect(
            told.filter { $0.resolvedAt != nil }.map { "\($0.kind) \($0.subject)" } == ["service.drift service/s1"],
            "what holds nothing cannot be otherwise than it should be, and nothing else is settled by that")
        #expect(try await store.orphanedAllocations().map(\.value) == ["101"])
        #expect(try await store.reservation(service: "s1") == nil)
    }

    @Test func `record one result a command, the first`() async throws {
        let command = CommandRecord(
            id: "cmd1", operation: "op1", step: "dataset", node: "n1", resource: "zfs/tank", body: ["id": "cmd1"],
            createdAt: fixture.start)
        #expect(try await store.insertCommand(command))
        #expect(try await !store.insertCommand(command))
        #expect(try await store.recordResult("cmd1", .succeeded, result: ["changed": true], at: fixture.at(2)))
        #expect(try await !store.recordResult("cmd1", .failed, result: [:], at: fixture.at(3)))
        let stored = try await store.command("cmd1")
        #expect(stored?.state == .succeeded)
        #expect(stored?.result == ["changed": true])
        #expect(
            await failure { try await store.recordResult("none", .failed, result: nil, at: fixture.start) }
                == .notFound(kind: "command", id: "none"))
        #expect(try await store.pruneCommands(before: fixture.at(3)) == 1)
    }

    @Test func `redeem a token as often as it allows`() async throws {
        let token = TokenRecord(
            id: "t1", secretHash: "hash", labels: ["a": "b"], usesLeft: 2, expiresAt: fixture.at(100),
            createdAt: fixture.start)
        try await store.insertToken(token)
        func redeem(_ id: String = "t1", after seconds: Int64 = 1, _ hash: String = "hash") async -> StoreError? {
            do {
                _ = try await store.redeemToken(id, at: fixture.at(seconds)) { $0 == hash }
                return nil
            } catch { return error }
        }
        #expect(await redeem("none") == .token(.unknown))
        #expect(await redeem("t1", after: 1, "other") == .token(.unknown))
        #expect(await redeem(after: 100) == .token(.expired))
        #expect(await redeem() == nil)
        #expect(await redeem() == nil)
        #expect(await redeem() == .token(.usedUp))
        #expect(try await store.revokeToken("t1", at: fixture.at(2)))
        #expect(await redeem() == .token(.revoked))
    }

    @Test func `answer an idempotency key with what was answered before`() async throws {
        func record(_ digest: String, at seconds: Int64) -> IdempotencyRecord {
            IdempotencyRecord(
                key: "k", scope: "key_1", digest: digest, status: 0, body: "", createdAt: fixture.at(seconds),
                expiresAt: fixture.at(seconds + 100))
        }
        #expect(try await store.beginIdempotent(record("a", at: 0)) == .fresh)
        #expect(try await store.beginIdempotent(record("a", at: 1)) == .inProgress)
        #expect(try await store.beginIdempotent(record("b", at: 1)) == .mismatch)
        try await store.finishIdempotent(scope: "key_1", key: "k", status: 202, body: "{}")
        guard case .answered(let answer) = try await store.beginIdempotent(record("a", at: 2)) else {
            Issue.record("not answered")
            return
        }
        #expect(answer.status == 202 && answer.body == "{}")
        #expect(try await store.beginIdempotent(record("b", at: 100)) == .fresh)
        try await store.dropIdempotent(scope: "key_1", key: "k")
        #expect(try await store.beginIdempotent(record("c", at: 101)) == .fresh)
        #expect(try await store.pruneIdempotency(before: fixture.at(201)) == 1)
    }

    @Test func `keys, audit and settings`() async throws {
        let key = KeyRecord(
            id: "k1", name: "billing", hash: "h", scopes: ["services:write", "a\"b"], role: "billing",
            createdAt: fixture.start)
        try await store.insertKey(key)
        #expect(try await store.key("k1") == key)
        try await store.recordKeyUse(["k1": fixture.at(3)])
        #expect(try await store.key("k1")?.lastUsedAt == fixture.at(3))
        #expect(try await store.revokeKey("k1", at: fixture.at(4)))
        #expect(try await store.keys().items.first?.revokedAt == fixture.at(4))
        for number in 1...3 {
            try await store.audit(
                AuditRecord(
                    id: "a\(number)", time: fixture.start, actor: "k1", action: "node.cordon", subject: "n\(number % 2)"
                ))
        }
        #expect(try await store.auditLog().items.map(\.id) == ["a3", "a2", "a1"])
        #expect(try await store.auditLog(subjects: ["n1"]).items.map(\.id) == ["a3", "a1"])
        try await store.setSetting("name", "one")
        try await store.setSetting("name", "two")
        #expect(try await store.setting("name") == "two")
        #expect(try await store.setting("none") == nil)
    }
}
