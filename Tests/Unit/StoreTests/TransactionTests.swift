import Model
import Testing

@testable import Store

@Suite(.onEveryEngine) struct `A transaction of the store` {
    let fixture: StoreFixture
    var store: Store { fixture.store }

    init() throws { fixture = try StoreFixture() }

    @Test func `a store that is restored is newer than all before, whatever its generations were`() async throws {
        let now = Timestamp.now()
        try await store.beginAnew(at: now)
        let first = try await store.generationBase()
        #expect(try await store.raiseGenerations(above: first + 1000, at: now))
        let told = try await store.generationBase()
        #expect(told > first + 1000)
        // A moment later, from a backup of that: a node's word must not have used up what is still to come.
        #expect(try await store.raiseGenerations(above: told + (1 << 39), at: now))
        let before = try await store.generationBase()
        try await store.beginAnew(at: now)
        #expect(try await store.generationBase() >= before + (1 << 32))
        #expect(try await !store.raiseGenerations(above: 1 << 62, at: now))
    }

    @Test func `is told to the feed after it is committed, and never when it is not`() async throws {
        let changes = store.changes()
        let start = fixture.start
        try await store.atomically { store throws(StoreError) in
            try store.insertService(
                ServiceRecord(id: "s1", customer: "c", plan: "p", createdAt: start, updatedAt: start))
            _ = try store.insertOperation(
                OperationRecord(id: "op1", kind: "provision", service: "s1", createdAt: start))
        }
        let error = await failure {
            try await store.atomically { store throws(StoreError) in
                try store.updateService("s1", at: start) { $0.state = .running }
                throw StoreError.exhausted(kind: "vmid", scope: "")
            }
        }
        #expect(error == .exhausted(kind: "vmid", scope: ""))
        #expect(try await store.service("s1")?.state == .pending)
        try await store.atomically { store throws(StoreError) in
            // The inner part is undone alone, with what it had to tell.
            do throws(StoreError) {
                try store.transaction { () throws(StoreError) in
                    try store.updateService("s1", at: start) { $0.state = .failed }
                    throw StoreError.closed
                }
            } catch {}
            try store.setSetting("x", "y")
            try store.updateService("s1", at: start) { $0.state = .provisioning }
        }
        await store.close()
        var seen: [Change] = []
        for await change in changes { seen.append(change) }
        #expect(
            seen == [
                Change(kind: .service, id: "s1", service: "s1"), Change(kind: .operation, id: "op1", service: "s1"),
                Change(kind: .service, id: "s1", service: "s1"),
            ])
    }

    @Test func `reaches a reader that slept too long as one word that it missed some`() async throws {
        let changes = store.changes()
        try await fixture.node()
        for number in 0..<(ChangeFeed.capacity + 100) {
            try await store.updateNode("n1") { $0.boot = "\(number)" }
        }
        var reader = changes.makeAsyncIterator()
        for _ in 0..<ChangeFeed.capacity { #expect(await reader.next()?.kind == .node) }
        try await store.setNodeState("n1") { .connected }
        #expect(await reader.next()?.kind == .missed)
        #expect(await reader.next()?.kind == .node)
    }

    @Test func `fails with one word after the store is closed`() async throws {
        await store.close()
        #expect(await failure { _ = try await store.node("n1") } == .closed)
        #expect(await failure { try await fixture.node() } == .closed)
        #expect(await failure { _ = try await store.take(Intake(node: "n1")) } == .closed)
        var reader = store.changes().makeAsyncIterator()
        #expect(await reader.next() == nil)
        await store.close()
    }

    @Test func `sees many callers at once without losing a change`() async throws {
        try await fixture.service()
        let fixture = fixture
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    try await fixture.store.updateService("s1", at: fixture.start) { $0.generation += 1 }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await store.service("s1")?.generation == 200)
    }
}
