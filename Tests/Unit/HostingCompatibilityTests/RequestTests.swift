import Model
import Placement
import Store
import TestSupport
import Testing
import WireProtocol

@testable import ControllerCore

/// Requests that bring their own credentials: what is kept of them, and for how long.
@Suite(.timeLimit(.minutes(2))) struct RequestTests {
    private func with(_ body: (Yard) async throws -> Void) async throws {
        let yard = try await Yard()
        try await body(yard)
        await yard.store.close()
    }

    private func ask(
        _ yard: Yard, only site: JSONValue? = nil, matomo: JSONObject? = nil, allowsPrivate: Bool = false
    ) async throws -> [QueueSite] {
        try await yard.operations.process(
            QueueCredentials(
                tables: ["url": "https://hub.example.org", "key": "planted-1729"], matomo: matomo,
                allowsPrivate: allowsPrivate),
            QueueSettings(plan: "site", customer: "hosting", adopts: true), only: site, by: Yard.by)
    }

    private func requests(_ yard: Yard) async throws -> [QueueRequestRecord] {
        var found: [QueueRequestRecord] = []
        for id in Set(try await yard.claims().compactMap(\.request)) {
            if let request = try await yard.store.queueRequest(id) { found.append(request) }
        }
        return found
    }

    @Test func `its rows become services, and its credentials are erased when the last is told`() async throws {
        try await with { yard in
            yard.hub.add("u-1", "a.example.org")
            yard.hub.add("u-2", "bad.example.org")
            yard.builder.change { $0.refusals["bad.example.org"] = "no" }
            let sites = try await ask(yard)
            #expect(sites.map(\.id) == ["u-1", "u-2"] && sites.map(\.domain) == ["a.example.org", "bad.example.org"])
            #expect(sites.allSatisfy { $0.operation != nil })
            #expect(try await yard.services.map { $0.spec["adopt"] } == ["same_user", "same_user"])
            // Asked again, it is the same work.
            #expect(try await ask(yard).map(\.operation) == sites.map(\.operation))
            #expect(try await requests(yard).map { $0.settings.isEmpty } == [false])
            try await yard.work()
            yard.hub.change { $0.faults = [2: .silent] }
            try await yard.tell()
            #expect(try await requests(yard).map { $0.settings.isEmpty } == [false], "one is not told yet")
            yard.clock.advance(.seconds(10))
            try await yard.tell()
            #expect(yard.hub.row("u-1")["status_hosting"] == "active")
            #expect(yard.hub.row("u-2")["status_hosting"] == "failed")
            #expect(try await requests(yard).map { $0.settings.isEmpty && $0.erasedAt != nil } == [true])
        }
    }

    @Test func `one that finds nothing leaves nothing`() async throws {
        try await with { yard in
            yard.hub.add(1, "a.example.org", hosting: "active")
            let none = try await ask(yard)
            #expect(none.isEmpty)
            #expect(try await yard.store.expiredQueueRequests(at: yard.clock.time + .days(2), limit: 10).isEmpty)
            yard.hub.change { $0.isDown = true }
            await #expect(throws: PortError.self) { try await ask(yard) }
            #expect(try await yard.store.expiredQueueRequests(at: yard.clock.time + .days(2), limit: 10).isEmpty)
        }
    }

    @Test func `one row is one row`() async throws {
        try await with { yard in
            for id in 1...3 { yard.hub.add(.integer(Int64(id)), .string("s\(id).example.org")) }
            let sites = try await ask(yard, only: "2")
            #expect(sites.map(\.domain) == ["s2.example.org"])
            #expect(try await ask(yard, only: "9").isEmpty)
            #expect(try await yard.services.count == 1)
        }
    }

    @Test func `after a day its credentials are erased, whatever is left`() async throws {
        try await with { yard in
            yard.hub.add(1, "a.example.org")
            yard.hub.add(2, "late.example.org")
            yard.hub.add(3, "wanted.example.org")
            yard.hub.add(4, "slow.example.org")
            yard.builder.change { $0.uncertified = ["wanted.example.org"] }
            let sites = try await ask(yard)
            // Two are built and told, one is built and not told, one waits for a server.
            try await yard.work(at: [sites[0].operation, sites[2].operation])
            try await yard.tell()
            yard.hub.change { $0.isDown = true }
            try await yard.work(at: [sites[3].operation])
            yard.clock.advance(.seconds(86_399))
            try await yard.tell()
            #expect(try await requests(yard).map { $0.settings.isEmpty } == [false])
            yard.clock.advance(.seconds(1))
            try await yard.tell()
            #expect(try await requests(yard).map { $0.settings.isEmpty } == [true])
            #expect(Set(try await yard.claims().map(\.state)).isSubset(of: [.dead, .done]))
            #expect(try await yard.claims(.dead).count == 2)
            #expect(try await yard.findings().contains("queue.dead_letters"))
            #expect(try await yard.store.messages(OutboxFilter(state: .waiting)).items.isEmpty)
            // The hub asks once more: what is there is told, nothing is made twice.
            yard.hub.change { $0.isDown = false }
            #expect(try await ask(yard).count == 2)
            try await yard.work()
            for _ in 1...2 { try await yard.tell() }
            for id in 1...4 { #expect(yard.hub.row(.integer(Int64(id)))["status_hosting"] == "active") }
            #expect(yard.builder.built.values.allSatisfy { $0 == 1 })
        }
    }

    @Test func `what it brings leads to the public Internet alone, unless the operator says otherwise`() async throws {
        try await with { yard in
            yard.hub.add(1, "a.example.org")
            _ = try await ask(yard)
            #expect(Set(yard.hub.calls.map(\.reach)) == [.publicInternet])
            yard.hub.change { $0.calls = [] }
            _ = try await ask(yard, allowsPrivate: true)
            #expect(Set(yard.hub.calls.map(\.reach)) == [.anywhere])
        }
    }

    @Test func `visits are counted by what it brings, and a silent Matomo holds up nothing`() async throws {
        try await with { yard in
            yard.hub.add(1, "a.example.org")
            yard.hub.change { $0.isMatomoDown = true }
            _ = try await ask(yard, matomo: ["url": "https://stats.example.org", "token": "planted-1731"])
            try await yard.work()
            try await yard.tell()
            #expect(yard.hub.row(1)["status_hosting"] == "active" && yard.hub.row(1)["matomo_site_id"] == .null)
            #expect(try await yard.claims().map(\.state) == [.watching])
            yard.hub.change { $0.isMatomoDown = false }
            yard.clock.advance(.seconds(60))
            try await yard.tell()
            #expect(yard.hub.row(1)["matomo_site_id"] == "40")
            #expect(try await yard.claims().map(\.state) == [.done])
            #expect(try await requests(yard).map { $0.settings.isEmpty } == [true])
        }
    }

    @Test func `how Matomo is reached may stand in a table, and is not kept`() async throws {
        try await with { yard in
            yard.hub.add(1, "a.example.org")
            yard.hub.change { $0.tables["matomo"] = [["url": "https://stats.example.org", "token": "planted-1731"]] }
            try await yard.queue(["matomo": ["table": "matomo"]])
            try await yard.settle()
            #expect(yard.hub.row(1)["matomo_site_id"] == "40")
            await yard.store.close()
            let bytes = try yard.folder.read("store.db")
            #expect(!String(decoding: bytes, as: UTF8.self).contains("planted-1731"))
        }
    }

    @Test func `a key that is bound to a customer brings nothing`() async throws {
        try await with { yard in
            yard.hub.add(1, "a.example.org")
            let bound = Requester(name: "key:1", customer: "c1")
            await #expect(throws: CoreError.self) {
                try await yard.operations.process(
                    QueueCredentials(tables: ["url": "https://a.example.org", "key": "k"], matomo: nil),
                    QueueSettings(plan: "site", customer: "hosting"), by: bound)
            }
            await #expect(throws: CoreError.self) { try await yard.operations.runQueue("sites", by: bound) }
        }
    }
}
