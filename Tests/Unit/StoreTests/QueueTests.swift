import Model
import Testing
import WireProtocol

@testable import Store

/// Rows of others' tables, and who has taken them.
@Suite struct QueueTests {
    private func claim(_ id: String, _ row: String = "1", request: String? = nil, at time: Timestamp)
        -> QueueClaimRecord
    {
        QueueClaimRecord(
            id: id, place: "https://hub.example.org public.sites", row: row, queue: request == nil ? "q" : nil,
            request: request, domain: "a.example.org", createdAt: time)
    }

    @Test func `a row is taken by one alone, and again when that has ended`() async throws {
        let fixture = try StoreFixture()
        let store = fixture.store
        try await store.insertClaim(claim("c1", at: fixture.start))
        let error = await failure { try await store.insertClaim(claim("c2", at: fixture.start)) }
        if case .conflict? = error {} else { Issue.record("\(String(describing: error))") }
        try await store.insertClaim(claim("c3", "2", at: fixture.start))
        try await store.updateClaim("c1") { ($0.state, $0.finishedAt) = (.done, fixture.at(1)) }
        try await store.insertClaim(claim("c4", at: fixture.at(2)))
        let newest = try await store.newestClaim(ofRow: "1", in: "https://hub.example.org public.sites")
        #expect(newest?.id == "c4")
        #expect(try await store.claimCounts(queue: "q") == [.done: 1, .working: 2])
        #expect(try await store.claims(dueBy: fixture.at(1), limit: 9).map(\.id) == ["c3"])
    }

    @Test func `what a request brought stays while a row needs it, and is then erased`() async throws {
        let fixture = try StoreFixture()
        let store = fixture.store
        try await store.insertQueueRequest(
            QueueRequestRecord(
                id: "r1", settings: ["key": "k"], askedBy: "key:1", createdAt: fixture.start,
                expiresAt: fixture.at(86_400)))
        try await store.insertClaim(claim("c1", request: "r1", at: fixture.start))
        #expect(try await !store.eraseSpentQueueRequest("r1", at: fixture.at(1)))
        #expect(try await store.queueRequest("r1")?.settings == ["key": "k"])
        #expect(try await store.expiredQueueRequests(at: fixture.at(86_399), limit: 9).isEmpty)
        #expect(try await store.expiredQueueRequests(at: fixture.at(86_400), limit: 9).map(\.id) == ["r1"])
        try await store.updateClaim("c1") { ($0.state, $0.finishedAt) = (.done, fixture.at(2)) }
        #expect(try await store.eraseSpentQueueRequest("r1", at: fixture.at(3)))
        #expect(try await store.queueRequest("r1")?.settings == [:])
        #expect(try await store.queueRequest("r1")?.erasedAt == fixture.at(3))
        // In time nothing is left of either.
        #expect(try await store.pruneClaims(before: fixture.at(10)) == 2)
        #expect(try await store.queueRequest("r1") == nil)
    }

    @Test func `a queue is held by one, is due in its turn, and goes with what waits for it`() async throws {
        let fixture = try StoreFixture()
        let store = fixture.store
        try await store.insertQueue(QueueRecord(name: "q", settings: ["plan": "site"], createdAt: fixture.start))
        #expect(try await store.holdQueue("q", at: fixture.start, until: fixture.at(10))?.name == "q")
        #expect(try await store.holdQueue("q", at: fixture.at(9), until: fixture.at(20)) == nil)
        #expect(try await store.dueQueues(at: fixture.at(9), limit: 9).isEmpty)
        #expect(try await store.dueQueues(at: fixture.at(10), limit: 9).count == 1)
        try await store.updateQueue("q") { ($0.heldUntil, $0.isEnabled) = (nil, false) }
        #expect(try await store.dueQueues(at: fixture.at(10), limit: 9).isEmpty)
        try await store.insertClaim(claim("c1", at: fixture.start))
        try await store.post(
            OutboxRecord(
                id: "m1", destination: "queue/q", subject: "claim/c1", kind: "queue.write", body: [:],
                createdAt: fixture.start))
        #expect(try await store.hasWaiting(about: "claim/c1", for: "queue/q"))
        try await store.removeQueue("q", at: fixture.at(11))
        #expect(try await store.claim("c1")?.state == .dead)
        #expect(try await store.messages(OutboxFilter()).items.isEmpty)
        #expect(try await store.queues().isEmpty)
    }
}
