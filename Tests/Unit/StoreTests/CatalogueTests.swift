import Model
import SQL
import Testing
import WireProtocol

@testable import Store

/// What nodes say that they can do.
@Suite struct `Catalogues of nodes` {
    private func driver(_ name: String, _ version: String) -> JSONValue {
        ["driver": .string(name), "version": .string(version), "operations": [["name": "thing.ensure"]]]
    }

    private func hello(_ fixture: StoreFixture, _ store: Store, _ node: String, _ drivers: [JSONValue]) async throws {
        try await store.recordHello(
            NodeHello(
                node: node, agentVersion: "1", facts: [:], boot: "b", cpuMillis: 1, memoryBytes: 1, diskBytes: 1,
                catalogue: .array(drivers)), at: fixture.start)
    }

    private func bodies(_ store: Store) async throws -> Int64? {
        try await store.atomically { store throws(StoreError) in
            try store.row("SELECT count(*) FROM catalogues") { (row) throws(SQLError) in try row.integer() }
        }
    }

    @Test func `are kept once for all nodes that say the same, and go with the last of them`() async throws {
        let fixture = try StoreFixture()
        let store = fixture.store
        let (zfs, docker) = (driver("zfs", "1"), driver("docker", "1"))
        for node in ["n1", "n2"] {
            try await store.insertNode(NodeRecord(id: node, name: node, enrolledAt: fixture.start))
            #expect(try await store.catalogue(of: node) == nil)
            try await hello(fixture, store, node, [zfs, docker])
        }
        #expect(try await bodies(store) == 2)
        #expect(try await store.catalogue(of: "n1") == .array([zfs, docker]))
        // Another order of the drivers is told in that order, and is no other text.
        try await hello(fixture, store, "n1", [docker, zfs])
        #expect(try await store.catalogue(of: "n1") == .array([docker, zfs]))
        let newer = driver("zfs", "2")
        try await hello(fixture, store, "n1", [docker, newer])
        #expect(try await bodies(store) == 3)
        #expect(try await store.catalogue(of: "n2") == .array([zfs, docker]))
        try await hello(fixture, store, "n2", [newer])
        #expect(try await bodies(store) == 2)
        try await store.removeNode("n2", at: fixture.start)
        #expect(try await bodies(store) == 2)
        try await store.removeNode("n1", at: fixture.start)
        #expect(try await bodies(store) == 0)
        await store.close()
    }

    @Test func `stay when only the facts are told anew`() async throws {
        let fixture = try StoreFixture()
        let store = fixture.store
        try await store.insertNode(NodeRecord(id: "n1", name: "n1", enrolledAt: fixture.start))
        try await hello(fixture, store, "n1", [driver("zfs", "1")])
        try await store.recordDrivers(
            NodeDrivers(
                node: "n1", drivers: [["name": "zfs", "facts": ["marks": true]]], cpuMillis: 1, memoryBytes: 1,
                diskBytes: 1, catalogue: nil))
        #expect(try await store.catalogue(of: "n1") == .array([driver("zfs", "1")]))
        #expect(try await store.node("n1")?.facts["drivers"]?.asArray?.first?["facts"]?["marks"] == true)
        await store.close()
    }
}
