import Model
import SQLite
import TestSupport
import Testing
import WireProtocol

@testable import Store

/// A file as the released version has left it, with a service in its place on a node.
@Suite struct `A store of the released version` {
    /// The newest schema that a released version has.
    private static let released: Int64 = 4
    let folder: StoreFixture

    init() throws { folder = try StoreFixture() }

    private var path: String { folder.folder.file("old.sqlite") }

    private func writeOld() throws {
        let database = try SQLiteDatabase(path: path, options: SQLiteOptions(access: .readWriteCreate))
        defer { database.close() }
        // The application id of a store.
        try database.execute("PRAGMA application_id = \(0x496e_6e6b)")
        try Schema.bring(database, to: Schema.migrations.filter { $0.number <= Self.released }, name: path)
        try database.addChecksums()
        let rows = [
            """
            INSERT INTO nodes (id, name, labels, schedulable, state, facts, cpu_millis, memory_bytes, disk_bytes, enrolled_at)
            VALUES ('n1', 'n1.example', '{}', 1, 'connected', '{}', 4000, 1, 1, 5)
            """,
            """
            INSERT INTO services VALUES ('s1', NULL, 'c1', 'small', 1, '{}', 'running', 'n1', 3, '{}', '{}', 5, 5)
            """,
            "INSERT INTO plans VALUES ('small', 1, '{}', 5, NULL)",
            "INSERT INTO allocations VALUES ('container', 'n1', 's1', 'n1', 's1', 'op1', 7)",
            "INSERT INTO allocations VALUES ('dataset', 'n1', 'tank/innkeeper/s1', NULL, 's1', 'op1', 7)",
            "INSERT INTO reservations VALUES ('s1', 'n1', 'tank', 1, 1, 1, 7)",
            "INSERT INTO usage_windows VALUES ('w', 's1', 'cpu_ms', 0, 12)",
            """
            INSERT INTO tokens (id, secret_hash, labels, uses_left, expires_at, created_at)
            VALUES ('tok', 'h', '{}', 1, 9, 5)
            """,
            "INSERT INTO idempotency VALUES ('k', 'refused', 'd', 409, '{}', 5, 9999999999999)",
            "INSERT INTO idempotency VALUES ('k', 'done', 'd', 202, '{}', 5, 9999999999999)",
            """
            INSERT INTO commands (id, operation, node, resource, body, state, created_at)
            VALUES ('op1.a.1', 'op1', 'n1', 'docker/s1', '{"generation":7}', 'sent', 7)
            """,
        ]
        for row in rows { try database.run(row) }
    }

    @Test func `is brought forward with all that is in it, and takes what is new`() async throws {
        try writeOld()
        let store = try Store(path: path)
        #expect(try await store.service("s1")?.node == "n1")
        // There was one product.
        #expect(try await store.service("s1")?.product == "container")
        #expect(try await store.plan("small")?.product == "container")
        #expect(try await store.newestGeneration(of: "docker/s1", on: "n1") == 7)
        #expect(
            try await store.usageWindows(subject: "s1", from: Timestamp(milliseconds: 0), to: folder.start)
                .map(\.amount) == [12])
        // What was refused may be tried again; what was done is not done twice.
        #expect(try await store.idempotency(scope: "k", key: "refused") == nil)
        #expect(try await store.idempotency(scope: "k", key: "done")?.status == 202)
        // What was in its place then is known to have been there.
        #expect(
            try await store.placements(service: "s1").map { [$0.node, $0.subject] }
                == [["n1", "docker/s1"], ["n1", "zfs/tank/innkeeper/s1"]])
        // Who was there is trusted; what is handed out says for itself whether its nodes are.
        #expect(try await store.node("n1")?.approvedAt == Timestamp(milliseconds: 5))
        #expect(try await store.token("tok")?.approves == false)
        #expect(try await store.allocations(service: "s1").map(\.slot) == ["", ""])
        // What was observed of it holds no domains and no backups, and was read for them.
        #expect(try await store.domains(service: "s1").isEmpty)
        #expect(try await store.backups(service: "s1").isEmpty)
        #expect(try await store.setting("observed.unread") == nil)
        #expect(try await store.allocations(service: "s1").allSatisfy { $0.releasedAt == nil && $0.nonce == nil })
        // By what its things are known is written down when somebody has looked.
        try await store.noteNonce("op1.container.1", of: "container", "s1", service: "s1")
        #expect(try await store.allocations(service: "s1").map(\.nonce) == ["op1.container.1", nil])
        // What placement reads is made of what was there.
        #expect(try await store.rooms().map(\.name) == ["n1.example"])
        #expect(try await store.nodeLoad("n1")?.pools == ["tank": 1])
        let second = AllocationRequest(kind: "port", candidates: ["1", "2"], service: "s1", slot: "second")
        #expect(try await store.allocate(second, at: folder.start).value == "1")
        let finding = Finding("test", subject: "node/n1", .info, summary: "It is.", remedy: "Let it be.")
        #expect(try await store.raise(finding, at: folder.start))
        // What others are told begins empty.
        #expect(try await store.webhooks(hearingOf: "c1") == [])
        let message = OutboxRecord(
            id: "m1", destination: "webhook/w", subject: "service/s1", kind: "k", body: [:], createdAt: folder.start)
        try await store.post(message)
        #expect(try await store.nextMessage(to: "webhook/w", at: folder.start) == message)
        // Nobody has taken a row of anybody's table.
        try await store.insertQueue(QueueRecord(name: "q", settings: [:], createdAt: folder.start))
        #expect(try await store.dueQueues(at: folder.start, limit: 1).map(\.name) == ["q"])
        #expect(try await store.claims(dueBy: folder.start, limit: 1).isEmpty)
        await store.close()
        // Opened again, nothing is brought forward twice.
        let again = try Store(path: path)
        #expect(try await again.findings().items.map(\.kind) == ["test"])
        await again.close()
    }

    @Test func `has migrations that are numbered without a hole`() {
        #expect(Schema.migrations.map(\.number) == Array(1...Int64(Schema.migrations.count)))
    }
}
