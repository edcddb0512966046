import Model
import Testing
import WireProtocol

@testable import Store

@Suite(.onEveryEngine) struct `What is over goes when its time is up` {
    let fixture: StoreFixture
    var store: Store { fixture.store }

    init() throws { fixture = try StoreFixture() }

    private func ended(
        _ id: String, service: String?, kind: String = "suspend", at seconds: Int64,
        _ state: OperationRecord.State = .succeeded, lines: Int = 3
    ) async throws {
        _ = try await store.insertOperation(
            OperationRecord(id: id, kind: kind, service: service, parameters: [:], createdAt: fixture.at(seconds)))
        let entries = (0..<lines).map { JSONValue.integer(Int64($0)) }
        try await store.appendJournal(id, after: 0, entries, at: fixture.at(seconds))
        let line = OperationLogLine(time: fixture.at(seconds), level: "info", text: "said")
        try await store.appendLog(id, [OperationLogLine](repeating: line, count: lines))
        let end = fixture.at(seconds)
        try await store.updateOperation(id) { ($0.state, $0.finishedAt) = (state, end) }
    }

    /// Goes through all of them and returns how many rows each transaction took.
    private func prune(before time: Timestamp, limit: Int = 5000) async throws -> [Int] {
        var round = try await store.pruneOperations(before: time, limit: limit)
        var removed = [round.removed]
        while !round.isOver, removed.count < 1000 {
            round = try await store.pruneOperations(before: time, after: round.next, limit: limit)
            removed.append(round.removed)
        }
        return removed
    }

    private func operations() async throws -> [String] {
        try await store.operations(page: PageRequest(limit: 500)).items.map(\.id)
    }

    @Test func `operations, but not what somebody still needs`() async throws {
        try await fixture.service("s1")
        try await fixture.service("s2")
        try await store.updateService("s2", at: fixture.start) { $0.state = .terminated }
        try await ended("op1", service: "s1", at: 1)
        try await ended("op2", service: "s1", at: 2)
        try await ended("op3", service: "s1", kind: "resume", at: 3)
        try await ended("op4", service: "s1", kind: "upgrade", at: 4, .needsAttention)
        try await ended("op5", service: "s2", at: 5)
        try await ended("op6", service: nil, kind: "command", at: 6)
        try await ended("op7", service: "s1", kind: "resume", at: 500)
        _ = try await store.insertOperation(
            OperationRecord(id: "op8", kind: "suspend", service: "s1", parameters: [:], createdAt: fixture.start))
        #expect(try await prune(before: fixture.at(100)).reduce(0, +) == 4 * 7)
        // The newest suspension that has ended, what needs attention, what is too young, what runs.
        #expect(try await operations() == ["op2", "op4", "op7", "op8"])
        #expect(try await store.journal("op1").isEmpty)
        #expect(try await store.log("op1").isEmpty)
        #expect(try await prune(before: fixture.at(100)).reduce(0, +) == 0)
        // The order of what comes is not shaken by what has gone.
        let next = try await store.insertOperation(
            OperationRecord(id: "op9", kind: "resume", service: "s1", parameters: [:], createdAt: fixture.start))
        #expect(next.position == 7)
    }

    @Test func `in transactions that stay small`() async throws {
        for number in 0..<20 { try await ended("op\(number)", service: nil, at: 1, lines: 200) }
        for number in 0..<600 { try await ended("run\(number)", service: nil, at: 2, .needsAttention, lines: 0) }
        await store.forgetPeakEffort()
        let rounds = try await prune(before: fixture.at(100), limit: 300)
        #expect(rounds.reduce(0, +) == 20 * 401)
        // An operation's own row and the few that belong to it may come on top.
        #expect(rounds.allSatisfy { $0 <= 310 })
        #expect(await store.peakEffort.rows <= 310)
        #expect(await store.peakEffort.statements <= 4000)
        #expect(try await operations().count == 500)
    }

    @Test func `everything else, each bounded`() async throws {
        try await fixture.node()
        var removed: [[Int]] = []
        for number in 1...10 {
            let time = fixture.at(Int64(number))
            try await store.audit(AuditRecord(id: "aud_\(number)", time: time, actor: "a", action: "b", subject: "c"))
            _ = try await store.take(
                Intake(
                    node: "n1",
                    gaps: [
                        GapReport(
                            stream: .metrics, seqs: Int64(number) * 2...Int64(number) * 2, from: time, to: time,
                            reason: "full")
                    ]))
            try await store.hold("docker/s\(number)", on: "n1", for: "s\(number)", at: fixture.at(0))
            if number < 10 { try await store.releaseAll(service: "s\(number)", at: time) }
            _ = try await store.beginIdempotent(
                IdempotencyRecord(
                    key: "k\(number)", scope: "s", digest: "d", status: 0, body: "", createdAt: fixture.at(0),
                    expiresAt: time))
        }
        let end = fixture.at(8)
        for limit in [4, 400, 400] {
            let taken = [
                try await store.pruneAudit(before: end, limit: limit),
                try await store.pruneGaps(before: end, limit: limit),
                try await store.prunePlacements(before: end, limit: limit),
                try await store.pruneIdempotency(before: end, limit: limit),
            ]
            removed.append(taken)
        }
        #expect(removed == [[4, 4, 4, 4], [3, 3, 3, 4], [0, 0, 0, 0]])
        #expect(try await store.placements(service: "s10").count == 1)
    }
}
