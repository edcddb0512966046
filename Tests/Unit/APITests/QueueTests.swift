import APIModels
import ControllerCore
import HTTPTypes
import Store
import Testing
import WireProtocol

@testable import API

extension IntegrationKind {
    /// One that keeps one table: its settings say which rows wait there.
    static let tabled = IntegrationKind(
        name: "tabled", summary: "A table of tests", offers: [.tables],
        schema: ["type": "object", "properties": ["url": ["type": "string"], "domains": ["type": "array"]]],
        secrets: [],
        read: { fields, _ throws(CoreError) in fields },
        connect: { fields, _ in
            let domains = fields["domains"]?.asArray ?? []
            let port = TablePort(
                has: { table, _ throws(PortError) in table.name == "sites" },
                rows: { _, _, _, after, limit throws(PortError) in
                    let first = Int(after?.asInteger ?? 0)
                    return domains.enumerated().dropFirst(first).prefix(limit).map {
                        ["id": .integer(Int64($0.offset + 1)), "domain": $0.element]
                    }
                },
                update: { (_, _, _, _) throws(PortError) in throw PortError(.silent, "the table gives no answer") })
            return Integration(tables: port, test: { [] })
        })
}

/// Standing queues over the API and on the command line.
@Suite struct `Queues over the API` {
    private static let body = #"{"name":"sites","settings":{"tables":"hub","plan":"small","customer":"hub"}}"#

    private func house() async throws -> House {
        let house = try await House(integrations: [.tabled])
        try await Self.furnish(house)
        return house
    }

    private static func furnish(_ house: House) async throws {
        _ = try await house.ask(.put, "/api/v1/plans/small", House.plan)
        let hub = #"{"name":"hub","kind":"tabled","settings":{"url":"https://hub.example.org","domains":["a b"]}}"#
        #expect(try await house.ask(.post, "/api/v1/integrations", hub).status == 201)
    }

    @Test func `one is made, shown, changed, looked into and removed`() async throws {
        let house = try await house()
        let made = try await house.ask(.post, "/api/v1/queues", Self.body)
        #expect(made.status == 201, "\(made.text)")
        #expect(try await house.ask(.post, "/api/v1/queues", Self.body).status == 409)
        let view = try await house.ask(.get, "/api/v1/queues/sites").model(QueueView.self)
        #expect(view.enabled && view.settings["sites"]?["status_dns"] == "status_dns" && view.rows.working == 0)
        #expect(
            try await house.ask(.get, "/api/v1/queues").model(Listing<QueueView>.self).items.map(\.name) == ["sites"])
        // Of a domain that is none nothing is made: the row is told.
        let run = try await house.ask(.post, "/api/v1/queues/sites/run").model(QueueRunView.self)
        #expect(run.taken.map(\.row) == ["1"] && run.taken.map(\.isNew) == [true] && run.problem == nil)
        let again = try await house.ask(.post, "/api/v1/queues/sites/run").model(QueueRunView.self)
        #expect(again.taken.map(\.isNew) == [false])
        let claims = try await house.ask(.get, "/api/v1/queue-claims?queue=sites&state=ending")
        let claim = try #require(try claims.model(Listing<QueueClaimView>.self).items.first)
        #expect(claim.domain == "a b" && claim.wanted["status_hosting"] == "failed" && claim.service == nil)
        let body = #"{"claim":"\#(claim.id)"}"#
        #expect(try await house.ask(.post, "/api/v1/queues/sites/replay", body).json["replayed"] == 0)
        #expect(try await house.ask(.post, "/api/v1/queues/sites/replay", #"{"claim":"clm_no"}"#).status == 404)
        let off = try await house.ask(.put, "/api/v1/queues/sites", #"{"enabled":false}"#).model(QueueView.self)
        #expect(!off.enabled && off.nextAt == nil && off.settings == view.settings)
        #expect(try await house.ask(.delete, "/api/v1/queues/sites").status == 204)
        #expect(try await house.ask(.get, "/api/v1/queues/sites").status == 404)
        let audit = try await house.store.auditLog().items.map(\.action)
        #expect(
            Set(audit).isSuperset(of: ["queue.create", "queue.update", "queue.run", "queue.replay", "queue.delete"]))
    }

    @Test func `a problem names the field`() async throws {
        let house = try await house()
        for (settings, field) in [
            (#"{"plan":"small","customer":"hub"}"#, "settings.tables"),
            (#"{"tables":"no","plan":"small","customer":"hub"}"#, "settings.tables"),
            (#"{"tables":"hub","plan":"small","customer":"hub","sites":{"key":"a;b"}}"#, "settings.sites.key"),
            (#"{"tables":"hub","plan":"small","customer":"hub","adopt":"all"}"#, "settings.adopt"),
        ] {
            let reply = try await house.ask(.post, "/api/v1/queues", #"{"name":"sites","settings":\#(settings)}"#)
            #expect(reply.status == 400, "\(reply.text)")
            #expect(try reply.problem.field == field, "\(reply.text)")
        }
    }

    @Test func `operators alone change them, and customers see none`() async throws {
        let house = try await house()
        let seller = try await house.key("read", "services")
        #expect(try await house.ask(.post, "/api/v1/queues", Self.body, key: seller).status == 403)
        #expect(try await house.ask(.post, "/api/v1/queues", Self.body).status == 201)
        #expect(try await house.ask(.delete, "/api/v1/queues/sites", key: seller).status == 403)
        #expect(try await house.ask(.post, "/api/v1/queues/sites/run", key: seller).status == 200)
        let two = try await TwoCustomers()
        for path in ["/api/v1/queues", "/api/v1/queue-claims"] {
            #expect(try await two.house.ask(.get, path, key: two.own.key).status == 403)
        }
    }

    @Test func `the command line adds, shows, runs and removes`() async throws {
        try await OpenHouse.with(integrations: [.tabled]) { open in
            try await Self.furnish(open.house)
            let added = try await open.innctl(
                "queue", "add", "sites", "--tables", "hub", "--plan", "small", "--customer", "hub", "--label", "zone=b",
                "--set", "values.claimed=building", loggedIn: true)
            #expect(added.code == 0 && added.output.contains("claimed=building"), "\(added.error)")
            let updated = try await open.innctl(
                "queue", "update", "sites", "--set", "interval_s=30", "--disable", loggedIn: true)
            #expect(updated.code == 0 && updated.output.contains("takes rows"), "\(updated.error)")
            let kept = try await open.house.store.queue("sites")
            #expect(kept?.settings["interval_s"] == 30 && kept?.settings["labels"] == ["zone": "b"])
            #expect(kept?.isEnabled == false)
            let run = try await open.innctl("queue", "run", "sites", loggedIn: true)
            #expect(run.code == 0 && run.output.contains("a b"), "\(run.error)")
            #expect(try await open.innctl("queue", "rows", "sites", loggedIn: true).output.contains("ending"))
            #expect(try await open.innctl("queue", "list", loggedIn: true).output.contains("1 ending"))
            #expect(try await open.innctl("queue", "show", "sites", loggedIn: true).output.contains("zone=b"))
            let replay = try await open.innctl("queue", "replay", "sites", loggedIn: true)
            #expect(replay.code == 0 && replay.output.contains("0 rows"), "\(replay.error)")
            #expect(try await open.innctl("queue", "remove", "sites", "--yes", loggedIn: true).code == 0)
        }
    }
}
