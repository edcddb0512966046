import Model
import TestSupport
import Testing
import WireProtocol

@testable import Store

/// Domains of customers' own, and backups of services.
@Suite struct `Domains and backups in the store` {
    let fixture: StoreFixture
    var store: Store { fixture.store }

    init() throws { fixture = try StoreFixture() }

    private func domain(_ name: String, of service: String = "s1") -> DomainRecord {
        DomainRecord(service: service, name: name, token: "t", addedAt: fixture.start)
    }

    private func backup(_ id: String, of service: String = "s1", at seconds: Int64 = 0) -> BackupRecord {
        BackupRecord(
            id: id, service: service, name: "backups:backup/\(id)", node: "n1", sizeBytes: 7,
            madeAt: fixture.at(seconds))
    }

    @Test func `a state that is another one begins then, and forgets how often it was tried`() async throws {
        try await fixture.service()
        try await store.insertDomain(domain("example.net"))
        let tried = try await store.updateDomain("example.net", service: "s1", at: fixture.at(5)) { $0.tries = 3 }
        #expect(tried?.tries == 3 && tried?.since == fixture.start)
        let proven = try await store.updateDomain("example.net", service: "s1", at: fixture.at(9)) {
            $0.state = .proven
        }
        #expect(proven?.tries == 0 && proven?.since == fixture.at(9))
        #expect(try await store.domain("example.net", service: "s1") == proven)
        #expect(try await store.updateDomain("absent", service: "s1", at: fixture.start) { $0.tries = 1 } == nil)
    }

    @Test func `those that are due come first, and no others`() async throws {
        try await fixture.service()
        for (name, due) in [("a.example", 30), ("b.example", 10), ("c.example", 99)] {
            try await store.insertDomain(domain(name))
            let time = fixture.at(Int64(due))
            try await store.updateDomain(name, service: "s1", at: fixture.start) { $0.dueAt = time }
        }
        #expect(try await store.domains(dueBy: fixture.at(30), limit: 9).map(\.name) == ["b.example", "a.example"])
        #expect(try await store.domains(dueBy: fixture.at(30), limit: 1).map(\.name) == ["b.example"])
    }

    @Test func `whoever gives back all that it holds has neither domains nor backups, nor findings of them`()
        async throws
    {
        try await fixture.service()
        try await fixture.service("s2")
        for id in ["s1", "s2"] {
            try await store.insertDomain(domain("\(id).example", of: id))
            try await store.insertBackup(backup("bak_\(id)", of: id))
            for (kind, subject) in [
                ("domain.proof_lost", Store.domainSubject(id, "\(id).example")),
                (Store.backupFinding, Store.backupSubject("bak_\(id)")), (Store.overdueFinding, "service/\(id)"),
            ] {
                try await store.raise(
                    Finding(kind, subject: subject, .warning, service: id, summary: "It is.", remedy: "Look."),
                    at: fixture.start)
            }
        }
        try await store.releaseAll(service: "s1", at: fixture.at(1))
        #expect(try await store.domains(service: "s1").isEmpty)
        #expect(try await store.backups(service: "s1").isEmpty)
        #expect(try await store.domains(service: "s2").count == 1)
        #expect(try await store.backups(service: "s2").count == 1)
        let open = try await store.findings(FindingFilter(withResolved: false)).items
        #expect(Set(open.map(\.service)) == ["s2"] && open.count == 3)
    }

    @Test func `a backup is written once, and is held while another service is made of it`() async throws {
        try await fixture.service()
        try await store.insertBackup(backup("bak_1", at: 1))
        var other = backup("bak_1", at: 1)
        other.sizeBytes = 8
        try await store.insertBackup(other)
        try await store.insertBackup(backup("bak_0", at: 5))
        #expect(try await store.backups(service: "s1").map(\.id) == ["bak_1", "bak_0"])
        #expect(try await store.newestBackup(service: "s1")?.id == "bak_0")
        try await store.updateBackup("bak_0") { $0.state = .missing }
        #expect(try await store.newestBackup(service: "s1")?.id == "bak_1", "one that is gone is none")
        let operation = try await fixture.operation()
        let held = try #require(try await store.updateBackup("bak_1") { $0.heldBy = operation.id })
        #expect(held.sizeBytes == 7)
        #expect(try await store.isHeld(held))
        try await store.updateOperation(operation.id) { $0.state = .failed }
        #expect(try await !store.isHeld(held))
    }
}

/// What a version before kept in what was observed of a service.
@Suite struct `Domains and backups of a version before` {
    private static let observed: JSONObject = [
        "ha": true,
        "domains": [
            "example.net": [
                "domain": "example.net", "token": "tok", "state": "active", "reason": "", "zone": "panel",
                "record": "_innkeeper.example.net", "value": "innkeeper-verification=tok",
            ],
            "example.com": ["domain": "example.com", "token": "two", "state": "awaiting_proof", "reason": "put it"],
        ],
        "backups": [
            ["backup": "b:backup/one", "size_bytes": 11, "time": 1000, "vmid": 100, "present": true],
            ["backup": "b:backup/two", "time": 2000],
        ],
    ]

    /// A store with a service as that version left it: what the script of the migration could not read is still to be read.
    private static func writeOld(_ fixture: StoreFixture) async throws {
        try await fixture.node()
        try await fixture.service(node: "n1")
        try await fixture.service("s2")
        try await fixture.store.updateService("s1", at: fixture.start) { $0.observed = observed }
        try await fixture.store.setSetting("observed.unread", "domains")
        await fixture.store.close()
    }

    private static func expectBrought(_ store: Store, _ fixture: StoreFixture) async throws {
        let domains = try await store.domains(service: "s1")
        #expect(domains.map(\.name) == ["example.com", "example.net"])
        #expect(domains.map(\.state) == [.awaitingProof, .active] && domains.map(\.token) == ["two", "tok"])
        #expect(domains.map(\.isServed) == [false, true] && domains.map(\.zone) == [nil, "panel"])
        #expect(domains[0].reason == "put it" && domains[0].since == fixture.start)
        let backups = try await store.backups(service: "s1")
        #expect(backups.map(\.name) == ["b:backup/one", "b:backup/two"] && backups.map(\.sizeBytes) == [11, nil])
        #expect(backups.map(\.madeAt.milliseconds) == [1000, 2000] && backups.allSatisfy { $0.node == "n1" })
        #expect(try await store.service("s1")?.observed == ["ha": true])
        #expect(try await store.setting("observed.unread") == nil)
    }

    @Test func `are brought forward once`() async throws {
        let fixture = try StoreFixture()
        try await Self.writeOld(fixture)
        let store = try fixture.reopened()
        try await Self.expectBrought(store, fixture)
        try await store.removeDomain("example.com", service: "s1", at: fixture.start)
        await store.close()
        let again = try fixture.reopened()
        #expect(try await again.domains(service: "s1").map(\.name) == ["example.net"])
        await again.close()
    }

    @Test func `lie sealed, and wait for whoever has the key`() async throws {
        let seal = ColumnSeal(
            key: "k",
            seal: { clear, _ in clear.map { "\($0 ^ 1)" }.joined(separator: ",") },
            open: { sealed, _ in sealed.split(separator: ",").compactMap { UInt8($0) }.map { $0 ^ 1 } })
        var options = StoreOptions(groupCommit: .milliseconds(1))
        options.seal = seal
        let fixture = try StoreFixture(options)
        try await fixture.store.sealRows()
        try await Self.writeOld(fixture)
        // A tool without the key neither fails nor loses anything.
        let without = try fixture.reopened()
        #expect(try await without.domains(service: "s1").isEmpty)
        await without.close()
        let store = try fixture.reopened(options)
        try await Self.expectBrought(store, fixture)
        await store.close()
    }
}
