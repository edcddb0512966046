import Model
import Testing
import WireProtocol

@testable import Store

@Suite struct `A store of the version before` {
    /// What the newest migration has made is taken back.
    private static let before = [
        "ALTER TABLE nodes DROP COLUMN approved_at", "ALTER TABLE nodes DROP COLUMN approved_claims",
        "ALTER TABLE tokens DROP COLUMN approves", "ALTER TABLE allocations DROP COLUMN slot",
        "DROP TABLE inventory_sums", "UPDATE schema_version SET version = 4",
    ]

    @Test func `is brought forward with all that is in it, and takes what is new`() async throws {
        #expect(Schema.migrations.last?.number == 5, "this test takes back the newest migration: bring it forward too")
        let fixture = try StoreFixture()
        try await fixture.node()
        try await fixture.service(node: "n1")
        try await fixture.operation()
        _ = try await fixture.store.allocate(
            AllocationRequest(kind: "port", candidates: ["1"], service: "s1"), at: fixture.start)
        try await fixture.store.insertToken(
            TokenRecord(
                id: "tok", secretHash: "h", usesLeft: 1, expiresAt: fixture.at(9), createdAt: fixture.start))
        for sql in Self.before { await fixture.store.damage(sql) }
        await fixture.store.close()

        let store = try Store(path: fixture.path)
        #expect(try await store.service("s1")?.node == "n1")
        #expect(try await store.unfinishedOperations().map(\.id) == ["op1"])
        // Who was there is trusted; what is handed out says for itself whether its nodes are.
        #expect(try await store.node("n1")?.approvedAt == fixture.start)
        #expect(try await store.token("tok")?.approves == false)
        #expect(try await store.allocations(service: "s1").map(\.slot) == [""])
        let second = AllocationRequest(kind: "port", candidates: ["1", "2"], service: "s1", slot: "second")
        #expect(try await store.allocate(second, at: fixture.start).value == "2")
        await store.close()
        // Opened again, nothing is brought forward twice.
        let again = try Store(path: fixture.path)
        #expect(try await again.allocations(service: "s1").map(\.value) == ["1", "2"])
        await again.close()
    }
}
