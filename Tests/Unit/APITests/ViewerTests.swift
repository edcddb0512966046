import APIModels
import ControllerCore
import HTTPTypes
import Hummingbird
import Model
import Store
import TestSupport
import Testing
import WireProtocol

@testable import API
@testable import HTTP

/// Who may do what and see what, at every endpoint there is: the list of endpoints itself is walked.
@Suite struct ViewerTests {
    @Test func `without a key only what needs none is answered`() async throws {
        let two = try await TwoCustomers()
        for endpoint in two.house.server.endpoints {
            // Whoever asks in vain too often has to wait before he hears even that.
            two.house.clock.advance(.seconds(60))
            let path = two.path(endpoint) { two.value($0, two.rival) }
            let reply = try await two.house.hear(endpoint, path, TwoCustomers.body(endpoint), key: "")
            if endpoint.scope == nil {
                #expect(reply.status == 200, "\(endpoint.method) \(endpoint.path)")
            } else {
                #expect(reply.status == 401, "\(endpoint.method) \(endpoint.path)")
            }
        }
    }

    @Test(arguments: Scope.allCases) func `a scope opens what asks for it, and nothing else`(_ scope: Scope)
        async throws
    {
        let two = try await TwoCustomers()
        let key = try await two.house.key(scope.rawValue)
        for endpoint in two.house.server.endpoints {
            guard let needed = endpoint.scope else { continue }
            let path = two.path(endpoint) { two.value($0, two.rival) }
            let reply = try await two.house.hear(endpoint, path, TwoCustomers.body(endpoint), key: key)
            let name = Comment("\(endpoint.method) \(endpoint.path): \(reply.status) \(reply.text)")
            #expect(reply.status < 500, name)
            if Set([scope]).permits(needed) {
                #expect(reply.status != 401 && reply.status != 403, name)
            } else if endpoint.description.otherScopes.contains(where: { Set([scope]).permits($0) }) {
                // The endpoint judges by what is there: here it is a service's, and not a node's.
                #expect(reply.status == 403, name)
            } else {
                #expect(reply.status == 403, name)
                #expect(try reply.problem.detail.hasSuffix("lacks the scope \(needed.rawValue)"), name)
            }
        }
    }

    @Test func `a key of one customer never reads a word of another's, or of the fleet's`() async throws {
        let two = try await TwoCustomers()
        // What reads comes first: what is changed afterwards, it is changed for him.
        let endpoints = two.house.server.endpoints.sorted { !$0.isChange && $1.isChange }
        for endpoint in endpoints {
            let keys: [(String, Set<Scope>)] = [(two.own.reader, [.read]), (two.own.key, [.read, .services])]
            for (key, scopes) in keys {
                let path = two.path(endpoint) { two.value($0, two.own) }
                let reply = try await two.house.hear(
                    endpoint, path, TwoCustomers.body(endpoint), key: key,
                    until: endpoint.parameters.isEmpty ? "retry:" : "")
                let name = Comment("\(endpoint.method) \(path): \(reply.status) \(reply.text)")
                #expect(reply.status < 500, name)
                let isOpen = endpoint.scope == nil
                let isPermitted = endpoint.description.isForCustomers && scopes.permits(endpoint.scope ?? .read)
                if isOpen || isPermitted {
                    #expect(![401, 403, 404].contains(reply.status), name)
                } else {
                    #expect(reply.status == 403, name)
                }
                // The description is one for all, and says nothing of anybody.
                guard !isOpen else { continue }
                for secret in two.secrets {
                    let heard = reply.everything.replacing(path, with: "")
                    #expect(!heard.contains(secret), name)
                }
            }
        }
    }

    @Test func `what another customer has is to a key of one customer as if it were not there`() async throws {
        let two = try await TwoCustomers()
        let idempotent: HTTPFields = [.idempotencyKey: "same"]
        for endpoint in two.house.server.endpoints where endpoint.scope != nil {
            let body = TwoCustomers.body(endpoint)
            for (parameter, other) in [
                ("service", two.rival.service), ("service", two.rival.externalID),
                ("operation", two.rival.operation), ("finding", two.rival.finding), ("webhook", two.rival.webhook),
                ("backup", two.rival.backup), ("node", TwoCustomers.node),
                ("key", two.fleet.key), ("token", two.fleet.token), ("network", "rivalnet"),
                ("value", two.fleet.value),
            ] where endpoint.parameters.contains(parameter) {
                let variants: [HTTPFields] =
                    endpoint.isChange ? [[:], idempotent, [.ifMatch: "*"]] : [[:], [.ifNoneMatch: "*"]]
                for headers in variants {
                    func ask(_ text: String) async throws -> (status: Int, heard: String) {
                        let path = two.path(endpoint) { $0 == parameter ? text : two.value($0, two.own) }
                        // A repeat of another's request, too.
                        if headers[.idempotencyKey] != nil {
                            _ = try await two.house.hear(endpoint, path, body, key: two.rival.key, headers: headers)
                        }
                        let reply = try await two.house.hear(endpoint, path, body, key: two.own.key, headers: headers)
                        let heard = reply.everything.replacing(text, with: "NAME")
                        return (reply.status, heard.replacing(two.house.length(of: reply), with: ""))
                    }
                    let there = try await ask(other)
                    let absent = try await ask("absent_0123456789")
                    #expect(there == absent, "\(endpoint.method) \(endpoint.path) \(other)")
                    #expect([403, 404].contains(there.status) || headers[.ifMatch] != nil, "\(endpoint.path)")
                    if endpoint.description.isForCustomers, headers[.ifMatch] == nil { #expect(there.status == 404) }
                }
            }
        }
    }

    @Test func `filters, pages and counts of a customer know his things only`() async throws {
        let two = try await TwoCustomers()
        func items(_ path: String) async throws -> [JSONValue] {
            let reply = try await two.house.ask(.get, "/api/v1/\(path)", key: two.own.reader)
            #expect(reply.status == 200, "\(path): \(reply.text)")
            return try reply.json["items"]?.asArray ?? []
        }
        for list in ["services", "operations", "findings", "node-events", "allocations"] {
            // One alone, with nothing behind it.
            let reply = try await two.house.ask(.get, "/api/v1/\(list)?limit=1", key: two.own.reader)
            #expect(try reply.json["items"]?.asArray?.count == 1 && reply.json["next"] == nil, "\(list) \(reply.text)")
            let every = try await two.house.ask(.get, "/api/v1/\(list)")
            #expect(try every.json["items"]?.asArray?.count ?? 0 >= 3, "\(list)")
            let query = two.house.server.endpoints.first { $0.path == "/api/v1/\(list)" && !$0.isChange }
            for (name, other, absent) in [
                ("service", two.rival.service, "svc_absent"), ("service", two.rival.externalID, "absent"),
                ("node", TwoCustomers.nodeName, "absent"), ("node", TwoCustomers.node, "nod_absent"),
                ("customer", "rival", "absent"), ("external_id", two.rival.externalID, "absent"),
                ("value", "tank/rival-1", "absent"),
            ] where query?.description.query.contains(where: { $0.name == name }) == true {
                func ask(_ value: String) async throws -> (Int, String) {
                    let reply = try await two.house.ask(.get, "/api/v1/\(list)?\(name)=\(value)", key: two.own.reader)
                    return (reply.status, reply.text.replacing(value, with: "NAME"))
                }
                let (there, none) = (try await ask(other), try await ask(absent))
                #expect(there == none, "\(list) \(name)=\(other)")
            }
        }
        #expect(try await items("services?customer=mine").count == 1)
        #expect(try await items("services?external_id=\(two.own.externalID)").count == 1)
        #expect(try await items("operations?service=\(two.own.service)").count == 1)
        #expect(
            try await items("operations/\(two.own.operation)/log").map { $0["text"] } == [
                "begins", "it did not go well; your provider can see why", "attempt 2",
            ])
    }

    @Test func `what a customer sees of his service is what concerns him`() async throws {
        let two = try await TwoCustomers()
        let path = "/api/v1/services/\(two.own.externalID)"
        let service = try await two.house.ask(.get, path, key: two.own.reader).model(Service.self)
        #expect(service.id == two.own.service && service.customer == "mine" && service.metrics == ["memory.used": 7])
        #expect(
            service.node == nil && service.operation?.state == "failed" && service.operation?.error?.code == "foreign")
        let operation = try await two.house.ask(.get, "/api/v1/operations/\(two.own.operation)", key: two.own.reader)
            .model(Operation.self)
        #expect(operation.steps?.first { $0.name == "container" }?.state == "failed")
        let event = try await two.house.ask(.get, "/api/v1/node-events", key: two.own.reader)
            .model(Listing<NodeEventView>.self).items
        #expect(event.map(\.resource) == ["docker/\(two.own.service)"] && event.first?.data?["said"] == "mine")
        let held = try await two.house.ask(.get, "/api/v1/allocations", key: two.own.reader)
            .model(Listing<AllocationView>.self).items
        #expect(held.map(\.value) == ["tank/mine-2"] && held.first?.scope == "")
        // Who may see all still does.
        let whole = try await two.house.ask(.get, "/api/v1/operations/\(two.own.operation)").model(Operation.self)
        #expect(whole.error?.message == TwoCustomers.words && whole.nodeName == TwoCustomers.nodeName)
    }

    @Test func `a customer changes his services, orders for himself, and for nobody else`() async throws {
        let two = try await TwoCustomers()
        func order(_ body: String) async throws -> Reply {
            try await two.house.ask(.post, "/api/v1/services", body, key: two.own.key)
        }
        #expect(try await order(#"{"customer":"mine","plan":"small"}"#).status == 202)
        for (body, field) in [
            (#"{"customer":"rival","plan":"small"}"#, "customer"),
            (#"{"customer":"absent","plan":"small"}"#, "customer"),
            (#"{"customer":"mine","plan":"small","external_id":"\#(two.rival.externalID)"}"#, "external_id"),
            (#"{"customer":"mine","plan":"small","external_id":"new"}"#, "external_id"),
        ] {
            let reply = try await order(body)
            #expect(try reply.status == 400 && reply.problem.field == field)
        }
        let suspended = try await two.house.ask(
            .post, "/api/v1/services/\(two.own.service)/suspend", #"{"reason":"holidays"}"#, key: two.own.key)
        #expect(suspended.status == 202)
        let operation = try suspended.model(AcceptedOperation.self).operation
        let key = try #require(KeyText(two.own.key))
        #expect(operation.reason == "holidays" && operation.requestedBy == "key:\(key.id)")
        let cancelled = try await two.house.ask(
            .post, "/api/v1/operations/\(operation.id)/cancel", key: two.own.key)
        #expect(try cancelled.model(Operation.self).state == "cancelled")
        // Nothing of the other's has changed.
        #expect(try await two.house.store.service(two.rival.service)?.state == .running)
        #expect(try await two.house.store.unfinishedOperations(service: two.rival.service).isEmpty)
    }

    @Test func `a customer hears what changes of his, under places that count nobody's changes`() async throws {
        let two = try await TwoCustomers()
        let house = two.house
        let follow = house.server.history.follow(house.operations)
        let following = Task { await follow() }
        defer { following.cancel() }
        let events = try #require(house.server.endpoints.first { $0.path == "/api/v1/events" })
        func change(_ things: TwoCustomers.Things) async throws {
            try await house.store.updateService(things.service, at: house.clock.time) { $0.generation += 1 }
            try await house.store.updateOperation(things.operation) { $0.cancelRequested.toggle() }
            try await house.store.appendLog(
                things.operation, [OperationLogLine(time: house.clock.time, level: "info", text: "begins")])
            _ = try await house.store.acknowledgeFinding(things.finding, by: "somebody", at: house.clock.time)
        }
        async let first = house.hear(events, "/api/v1/events", key: two.own.reader, until: two.own.finding)
        // The stream begins with what comes after it.
        #expect(await eventually { house.server.listeners == 1 })
        try await change(two.rival)
        try await house.addNode("nod_later", name: "\(TwoCustomers.nodeName)-later")
        try await change(two.own)
        let heard = try await first
        #expect(heard.text.contains(two.own.finding), "\(heard.text)")
        for secret in two.secrets + ["nod_later"] { #expect(!heard.text.contains(secret), "\(heard.text)") }
        let told = Events.parse(heard.text)
        #expect(told.map(\.name) == ["change", "change", "change", "change"])
        let places = told.compactMap { $0.id.split(separator: "-").last.map(String.init) }
        #expect(places.count == 4 && places.allSatisfy { Int($0).map { $0 > 1000 } ?? true }, "\(places)")
        // He comes back where he was, and with somebody else's place or a made up one he is told that he missed something.
        let last: HTTPFields = [HTTPField.Name("Last-Event-ID")!: try #require(told.first?.id)]
        let again = try await house.hear(
            events, "/api/v1/events", key: two.own.reader, until: two.own.finding, headers: last)
        #expect(Events.parse(again.text).map(\.name) == ["change", "change", "change"])
        let run = try #require(told.first?.id.split(separator: "-").first)
        let guessed: HTTPFields = [HTTPField.Name("Last-Event-ID")!: "\(run)-1"]
        let missed = try await house.hear(
            events, "/api/v1/events", key: two.own.reader, until: "missed", headers: guessed)
        #expect(Events.parse(missed.text).map(\.name) == ["missed"])
    }

    @Test(arguments: [["admin"], ["read", "nodes"], ["commands"], ["plans", "services"]])
    func `a key that is bound to a customer holds no scope that is about the fleet`(scopes: [String]) async throws {
        let house = try await House()
        let list = JSONValue.array(scopes.map { .string($0) }).text
        let reply = try await house.ask(.post, "/api/v1/keys", #"{"name":"x","scopes":\#(list),"customer":"c1"}"#)
        #expect(try reply.status == 400 && reply.problem.field == "scopes")
        #expect(try reply.problem.detail.contains(scopes.last { $0 != "services" } ?? ""))
        // One that stands in a store all the same opens nothing of it.
        let key = KeyText.make()
        try await house.store.insertKey(
            key.record(name: "c", scopes: scopes, customer: "c1", createdAt: HouseClock.start))
        try await house.addNode()
        for path in ["nodes", "keys", "audit", "tokens", "networks"] {
            #expect(try await house.ask(.get, "/api/v1/\(path)", key: key.text).status == 403)
        }
        #expect(try await house.ask(.post, "/api/v1/nodes/alpha/cordon", key: key.text).status == 403)
    }

    @Test func `a key shows the customer that it is bound to, and the audit log does`() async throws {
        let house = try await House()
        let body = #"{"name":"portal","scopes":["read"],"customer":"c1"}"#
        let made = try await house.ask(.post, "/api/v1/keys", body).model(APIKey.self)
        #expect(made.customer == "c1" && made.secret != nil)
        let listed = try await house.ask(.get, "/api/v1/keys").model(Listing<APIKey>.self).items
        #expect(listed.first { $0.id == made.id }?.customer == "c1")
        let row = try await house.ask(.get, "/api/v1/audit?subject=\(made.id)").model(Listing<AuditEntry>.self).items
        #expect(row.first?.detail?["customer"] == "c1")
        let wrong = try await house.ask(.post, "/api/v1/keys", #"{"name":"x","scopes":["read"],"customer":"a b"}"#)
        #expect(try wrong.status == 400 && wrong.problem.field == "customer")
    }
}

extension House {
    /// The fields that say how long an answer is and which state it shows.
    func length(of reply: Reply) -> String {
        reply.response.headers[.contentLength].map { "content-length: \($0)" } ?? "\u{0}"
    }
}
