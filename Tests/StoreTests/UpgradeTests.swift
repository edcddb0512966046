import Model
import Testing
import WireProtocol

@testable import Store

@Suite struct `A store of the version before` {
    /// What the newest migration has made is taken back.
    private static let before = [
        "DROP INDEX commands_by_resource", "DROP TABLE operation_output", "DROP TABLE node_catalogues",
        "UPDATE schema_version SET version = 3",
    ]

    @Test func `is brought forward with all that is in it, and takes what is new`() async throws {
        #expect(Schema.migrations.last?.number == 4, "this test takes back the newest migration: bring it forward too")
        let fixture = try StoreFixture()
        try await fixture.node()
        try await fixture.service(node: "n1")
        try await fixture.operation()
        _ = try await fixture.store.insertCommand(
            CommandRecord(
                id: "op1.step.1", operation: "op1", node: "n1", resource: "docker/s1", body: ["generation": 7],
                createdAt: fixture.start))
        for sql in Self.before { await fixture.store.damage(sql) }
        await fixture.store.close()

        let store = try Store(path: fixture.path)
        #expect(try await store.service("s1")?.node == "n1")
        #expect(try await store.unfinishedOperations().map(\.id) == ["op1"])
        #expect(try await store.newestGeneration(of: "docker/s1", on: "n1") == 7)
        #expect(try await store.catalogue(of: "n1") == nil)
        try await store.setCatalogue(["told"], of: "n1")
        try await store.keepOutput("op1", ["said"])
        #expect(try await store.catalogue(of: "n1") == ["told"])
        #expect(try await store.output(of: "op1") == ["said"])
        await store.close()
        // Opened again, nothing is brought forward twice.
        let again = try Store(path: fixture.path)
        #expect(try await again.output(of: "op1") == ["said"])
        await again.close()
    }
}
