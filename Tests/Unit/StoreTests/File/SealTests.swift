import Model
import SQLite
import TestSupport
import Testing
import WireProtocol

@testable import Store

/// Columns that hold secrets lie sealed. The seal of these tests turns bytes around and notes the place.
@Suite struct SealTests {
    private let secret: JSONObject = ["env": ["PASSWORD": "opensesame-1729"]]

    private static func seal(_ key: String, knowing others: [String] = []) -> ColumnSeal {
        ColumnSeal(
            key: key,
            seal: { clear, place in
                "\(key).\(HexText.encode(clear.reversed())).\(HexText.encode(place))"
            },
            open: { sealed, place in
                let parts = sealed.split(separator: ".").map(String.init)
                guard parts.count == 3, ([key] + others).contains(parts[0]), parts[2] == HexText.encode(place) else {
                    throw StoreError.invalid("not for \(place.count)")
                }
                return HexText.decode(parts[1]).reversed()
            })
    }

    private static func options(_ seal: ColumnSeal?) -> StoreOptions {
        StoreOptions(groupCommit: .milliseconds(1), seal: seal)
    }

    /// What a step has made lies in many places.
    private func fill(_ store: Store, at time: Timestamp) async throws {
        _ = try await store.putPlan("web", spec: secret, at: time)
        try await store.insertIntegration(
            IntegrationRecord(name: "dns", kind: "cloudflare", settings: secret, createdAt: time, updatedAt: time))
        try await store.insertWebhook(
            WebhookRecord(
                id: "w1", name: "w", customer: nil, url: "https://a.example/opensesame", events: [], authority: nil,
                allowsPrivate: false, secrets: secret, createdAt: time))
        try await store.insertQueueRequest(
            QueueRequestRecord(
                id: "q1", settings: secret, askedBy: "k", createdAt: time, expiresAt: time + .seconds(60)))
        try await store.post(
            OutboxRecord(
                id: "m1", destination: "webhook/w1", subject: "service/s1", kind: "k", body: secret, createdAt: time))
        try await store.insertService(
            ServiceRecord(
                id: "s1", customer: "c", plan: "web", spec: secret, address: secret, observed: secret, createdAt: time,
                updatedAt: time))
        _ = try await store.insertOperation(
            OperationRecord(
                id: "op1", kind: "provision", service: "s1", parameters: secret, result: .object(secret),
                createdAt: time))
        try await store.appendJournal("op1", after: 0, [.object(secret), .object(secret)], at: time)
        _ = try await store.insertCommand(
            CommandRecord(id: "op1.a.1", operation: "op1", node: "n", resource: "r", body: ["x": 1], createdAt: time))
        try await store.recordResult("op1.a.1", .succeeded, result: .object(secret), at: time)
        _ = try await store.beginIdempotent(
            IdempotencyRecord(
                key: "k", scope: "a", digest: "d", status: 0, body: "", createdAt: time,
                expiresAt: time + .seconds(60)))
        try await store.finishIdempotent(scope: "a", key: "k", status: 201, body: JSONValue.object(secret).text)
    }

    private func expectReadable(_ store: Store) async throws {
        #expect(try await store.plan("web")?.spec == secret)
        #expect(try await store.integration("dns")?.settings == secret)
        #expect(try await store.integrations().map(\.settings) == [secret])
        #expect(try await store.webhook("w1")?.secrets == secret)
        #expect(try await store.webhooks(hearingOf: "c").map(\.url) == ["https://a.example/opensesame"])
        #expect(try await store.message("m1")?.body == secret)
        #expect(try await store.service("s1")?.spec == secret)
        #expect(try await store.services(onNode: "none") == [])
        #expect(try await store.operation("op1")?.parameters == secret)
        #expect(try await store.unfinishedOperations().map(\.parameters) == [secret])
        #expect(try await store.service("s1")?.address == secret)
        #expect(try await store.service("s1")?.observed == secret)
        #expect(try await store.operation("op1")?.result == .object(secret))
        #expect(try await store.journal("op1").map(\.entry) == [.object(secret), .object(secret)])
        #expect(try await store.command("op1.a.1")?.result == .object(secret))
    }

    private func holdsClear(_ fixture: StoreFixture) throws -> Bool {
        ["store.sqlite", "store.sqlite-wal"].contains { name in
            guard let bytes = try? fixture.folder.read(name) else { return false }
            return String(decoding: bytes, as: UTF8.self).contains("opensesame")
        }
    }

    @Test func `the file holds nothing in clear, and every way to read does`() async throws {
        let fixture = try StoreFixture(Self.options(Self.seal("k1")))
        try await fill(fixture.store, at: fixture.start)
        try await fixture.store.updateService("s1", at: fixture.at(1)) { $0.state = .running }
        try await fixture.store.updateOperation("op1") { $0.cancelRequested = true }
        try await expectReadable(fixture.store)
        let answer = try await fixture.store.idempotency(scope: "a", key: "k")
        #expect(answer?.status == 201 && answer?.body == JSONValue.object(secret).text)
        #expect(try await fixture.store.putPlan("web", spec: secret, at: fixture.at(2)).revision == 1)
        #expect(try !holdsClear(fixture))
        await fixture.store.close()
        #expect(try !holdsClear(fixture))
    }

    @Test func `a store from before is sealed once, and nothing of what it held is left in its file`() async throws {
        let fixture = try StoreFixture()
        try await fill(fixture.store, at: fixture.start)
        _ = try await fixture.store.insertCommand(
            CommandRecord(
                id: "c1", node: "n", resource: "docker/s1", body: ["arguments": .object(secret), "journal": "j"],
                createdAt: fixture.start))
        await fixture.store.close()
        #expect(try holdsClear(fixture))
        let store = try fixture.reopened(Self.options(Self.seal("k1")))
        #expect(try await store.sealRows() >= 4)
        #expect(try await store.sealRows() == 0)
        try await expectReadable(store)
        #expect(try await store.command("c1")?.body == ["journal": "j"])
        #expect(try !holdsClear(fixture))
        await store.close()
        #expect(try !holdsClear(fixture))
    }

    @Test func `another key takes over, and without a key nothing sealed is read`() async throws {
        let fixture = try StoreFixture(Self.options(Self.seal("k1")))
        try await fill(fixture.store, at: fixture.start)
        try await fixture.store.sealRows()
        await fixture.store.close()
        let renewed = try fixture.reopened(Self.options(Self.seal("k2", knowing: ["k1"])))
        // Plan, integration, webhook, what a request brought, message, service, operation, two entries of its journal and one result; answers are forgotten, not sealed anew.
        #expect(try await renewed.sealRows() == 10)
        await renewed.close()
        let later = try fixture.reopened(Self.options(Self.seal("k2")))
        try await expectReadable(later)
        await later.close()
        let plain = try fixture.reopened()
        #expect(try await plain.isSealed())
        await #expect(throws: StoreError.self) { try await plain.service("s1") }
        await plain.close()
    }

    @Test func `a store whose version sealed less is sealed once more`() async throws {
        let fixture = try StoreFixture()
        try await fill(fixture.store, at: fixture.start)
        try await fixture.store.setSetting("secrets.key", "k1")
        await fixture.store.close()
        let store = try fixture.reopened(Self.options(Self.seal("k1")))
        #expect(try await store.sealRows() > 0)
        try await expectReadable(store)
        await store.close()
        #expect(try !holdsClear(fixture))
    }

    @Test func `a long journal is sealed to its last entry`() async throws {
        let fixture = try StoreFixture()
        try await fill(fixture.store, at: fixture.start)
        for batch in 0..<3 {
            let entries = [JSONValue](repeating: .object(secret), count: 400)
            try await fixture.store.appendJournal(
                "op1", after: 2 + Int64(batch) * 400, entries, at: fixture.start)
        }
        await fixture.store.close()
        let store = try fixture.reopened(Self.options(Self.seal("k1")))
        try await store.sealRows()
        #expect(try await store.journal("op1").allSatisfy { $0.entry == .object(secret) })
        await store.close()
        #expect(try !holdsClear(fixture))
    }

    @Test func `sealed text that was moved to another row is damage`() async throws {
        let fixture = try StoreFixture(Self.options(Self.seal("k1")))
        try await fill(fixture.store, at: fixture.start)
        try await fixture.store.insertService(
            ServiceRecord(
                id: "s2", customer: "c", plan: "web", spec: ["image": "x"], createdAt: fixture.start,
                updatedAt: fixture.start))
        await fixture.store.close()
        let database = try SQLiteDatabase(path: fixture.path)
        try database.run("UPDATE services SET spec = (SELECT spec FROM services WHERE id = 's1') WHERE id = 's2'")
        database.close()
        let store = try fixture.reopened(Self.options(Self.seal("k1")))
        await #expect(throws: StoreError.self) { try await store.service("s2") }
        #expect(try await store.service("s1")?.spec == secret)
        await store.close()
    }
}

/// Bytes as hexadecimal text, for the seal of these tests.
private enum HexText {
    static func encode(_ bytes: some Sequence<UInt8>) -> String {
        bytes.map { String(UInt16($0) + 256, radix: 16).suffix(2) }.joined()
    }

    static func decode(_ text: String) -> [UInt8] {
        let digits = Array(text)
        return stride(from: 0, to: digits.count - 1, by: 2).compactMap {
            UInt8(String(digits[$0...($0 + 1)]), radix: 16)
        }
    }
}
