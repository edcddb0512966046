import Model
import Testing
import WireProtocol

@testable import Store

@Suite(.onEveryEngine) struct `A finding` {
    let fixture: StoreFixture
    var store: Store { fixture.store }

    init() throws { fixture = try StoreFixture() }

    private func clock(
        _ severity: FindingRecord.Severity = .warning, subject: String = "node/n1", ahead: Int64 = 1
    ) -> Finding {
        Finding(
            "clock.ahead", subject: subject, severity, node: "n1", summary: "The clock of n1 is ahead.",
            remedy: "Set the clock.", data: ["ahead_ms": .integer(ahead)])
    }

    @Test func `is one however often it is raised, and says since when and when last`() async throws {
        var changes = store.changes().makeAsyncIterator()
        #expect(try await store.raise(clock(), at: fixture.at(0)))
        #expect(try await !store.raise(clock(ahead: 2), at: fixture.at(30)))
        #expect(try await !store.raise(clock(ahead: 3), at: fixture.at(90)))
        #expect(try await store.raise(clock(subject: "node/n2"), at: fixture.at(90)))
        let known = try await store.findings(page: PageRequest()).items
        #expect(known.map(\.subject) == ["node/n1", "node/n2"])
        #expect(known[0].since == fixture.at(0) && known[0].lastSeen == fixture.at(90))
        #expect(known[0].data["ahead_ms"] == 3)
        // The feed is told what is new, not each sight of it.
        let told = [await changes.next(), await changes.next()]
        #expect(told.map { $0?.id } == known.map(\.id) && told.allSatisfy { $0?.kind == .finding })
    }

    @Test func `stays acknowledged until it becomes worse or is resolved`() async throws {
        try await store.raise(clock(), at: fixture.at(0))
        let id = try await store.findings().items[0].id
        try await store.acknowledgeFinding(id, by: "ann", note: "ordered a battery", at: fixture.at(1))
        try await store.raise(clock(ahead: 9), at: fixture.at(100))
        #expect(try await store.finding(id)?.state == .acknowledged)
        #expect(try await store.finding(id)?.note == "ordered a battery")
        try await store.raise(clock(.error), at: fixture.at(200))
        #expect(try await store.finding(id)?.state == .open)
        #expect(try await store.resolve("clock.ahead", subject: "node/n1", by: "look", at: fixture.at(300)))
        #expect(try await !store.resolve("clock.ahead", subject: "node/n1", by: "look", at: fixture.at(300)))
        #expect(try await store.finding(id)?.resolvedBy == "look")
        #expect(
            await failure { try await store.resolveFinding(id, by: "ann", at: fixture.at(301)) }
                == .wrongState(kind: "finding", id: id, state: "resolved"))
    }

    @Test func `that comes and goes is one row an hour`() async throws {
        for second in 0..<200 {
            try await store.raise(clock(), at: fixture.at(Int64(second) * 30))
            try await store.resolve("clock.ahead", subject: "node/n1", by: "look", at: fixture.at(Int64(second) * 30))
        }
        #expect(try await store.findings().items.count == 1)
        #expect(try await store.raise(clock(), at: fixture.at(200 * 30 + 3600)))
        let all = try await store.findings().items
        #expect(all.map(\.state) == [.open, .resolved])
        #expect(try await store.findings(FindingFilter(state: .open)).items.count == 1)
        #expect(try await store.pruneFindings(before: fixture.at(100_000)) == 1)
        #expect(try await store.findings().items.map(\.state) == [.open])
    }

    @Test func `is found by state, severity, kind, node and service`() async throws {
        try await store.raise(clock(), at: fixture.at(0))
        try await store.raise(
            Finding(
                "drift.missing", subject: "service/s1", .error, node: "n2", service: "s1", summary: "Gone.",
                remedy: "Repair it."), at: fixture.at(1))
        func kinds(_ filter: FindingFilter) async throws -> [String] {
            try await store.findings(filter).items.map(\.kind)
        }
        #expect(try await kinds(FindingFilter(severity: .error)) == ["drift.missing"])
        #expect(try await kinds(FindingFilter(kind: "clock.ahead")) == ["clock.ahead"])
        #expect(try await kinds(FindingFilter(node: "n1")) == ["clock.ahead"])
        #expect(try await kinds(FindingFilter(service: "s1")) == ["drift.missing"])
        #expect(try await kinds(FindingFilter(state: .resolved)).isEmpty)
        #expect(try await kinds(FindingFilter()) == ["drift.missing", "clock.ahead"])
    }

    @Test func `that nobody has seen for long is settled, of the kinds that are asked for`() async throws {
        try await store.raise(clock(), at: fixture.at(0))
        try await store.raise(clock(subject: "node/n2"), at: fixture.at(500))
        let kinds = ["clock.ahead"]
        #expect(try await store.settleFindings(["other"], unseenSince: fixture.at(400), at: fixture.at(600)) == 0)
        #expect(try await store.settleFindings(kinds, unseenSince: fixture.at(400), at: fixture.at(600)) == 1)
        #expect(try await store.findings(FindingFilter(state: .open)).items.map(\.subject) == ["node/n2"])
    }

    @Test func `does not grow with what a node says, and goes with its node`() async throws {
        try await fixture.node()
        let long = String(repeating: "ü", count: 100_000)
        try await store.raise(
            Finding(
                "test", subject: "node/n1", .info, node: "n1", summary: long, remedy: long,
                data: ["small": 1, "large": .string(long)]), at: fixture.at(0))
        let record = try #require(try await store.findings().items.first)
        #expect(record.summary.utf8.count <= 1024 && record.summary.hasSuffix("ü…"))
        #expect(record.data.text.utf8.count <= 4096)
        #expect(record.data["small"] == 1 && record.data["truncated"] == "large")
        try await store.removeNode("n1", at: fixture.at(1))
        #expect(try await store.finding(record.id)?.state == .resolved)
    }
}
