import Model
import TestSupport
import Testing
import WireProtocol

@testable import Store

/// What waits for others, and in which order.
@Suite struct OutboxTests {
    private func post(
        _ store: Store, _ id: String, about subject: String = "service/a", to destination: String = "webhook/1",
        at time: Timestamp
    ) async throws {
        try await store.post(
            OutboxRecord(id: id, destination: destination, subject: subject, kind: "k", body: [:], createdAt: time))
    }

    @Test func `of one subject only the oldest is next, and others pass it by`() async throws {
        let fixture = try StoreFixture()
        let store = fixture.store
        try await post(store, "m1", at: fixture.start)
        try await post(store, "m2", at: fixture.start)
        try await post(store, "m3", about: "service/b", at: fixture.start)
        try await post(store, "m4", to: "webhook/2", at: fixture.start)
        func next(_ time: Timestamp) async throws -> String? {
            try await store.nextMessage(to: "webhook/1", at: time)?.id
        }
        #expect(try await next(fixture.start) == "m1")
        try await store.note(attemptAt: "m1") { $0.dueAt = fixture.at(60) }
        #expect(try await next(fixture.start) == "m3")
        try await store.note(attemptAt: "m3") { $0.state = .delivered }
        #expect(try await next(fixture.start) == nil)
        #expect(
            try await store.dueDestinations(at: fixture.start, limit: 10).map { $0.destination } == [
                "webhook/1", "webhook/2",
            ])
        #expect(try await next(fixture.at(60)) == "m1")
        try await store.note(attemptAt: "m1") { ($0.state, $0.finishedAt) = (.dead, fixture.at(60)) }
        #expect(try await next(fixture.at(60)) == "m2")
        // What has ended is not noted once more.
        #expect(try await store.note(attemptAt: "m1") { $0.state = .delivered } == nil)
    }

    @Test func `what was given up comes back as new, before what is younger`() async throws {
        let fixture = try StoreFixture()
        let store = fixture.store
        for id in ["m1", "m2"] { try await post(store, id, at: fixture.start) }
        try await post(store, "other", to: "webhook/2", at: fixture.start)
        try await store.giveUp(messagesTo: "webhook/1", because: "gone", at: fixture.at(1))
        try await post(store, "m3", at: fixture.at(2))
        #expect(
            try await store.messages(OutboxFilter(destination: "webhook/1", state: .dead)).items.map(\.id) == [
                "m2", "m1",
            ])
        #expect(try await store.replay(messagesTo: "webhook/2", at: fixture.at(3)) == 0)
        #expect(try await store.replay(messagesTo: "webhook/1", only: "m1", at: fixture.at(3)) == 1)
        let first = try await store.nextMessage(to: "webhook/1", at: fixture.at(3))
        #expect(first?.id == "m1" && first?.attempts == 0 && first?.finishedAt == nil)
        #expect(try await store.hasMessages(2, in: .waiting, for: "webhook/1"))
        #expect(try await !store.hasMessages(3, in: .waiting, for: "webhook/1"))
    }

    @Test func `what has ended is removed in time, what waits stays`() async throws {
        let fixture = try StoreFixture()
        let store = fixture.store
        for id in ["m1", "m2"] { try await post(store, id, at: fixture.start) }
        try await store.note(attemptAt: "m1") { ($0.state, $0.finishedAt) = (.delivered, fixture.at(5)) }
        #expect(try await store.pruneOutbox(before: fixture.at(5)) == 0)
        #expect(try await store.pruneOutbox(before: fixture.at(6)) == 1)
        #expect(try await store.messages(OutboxFilter()).items.map(\.id) == ["m2"])
    }
}
