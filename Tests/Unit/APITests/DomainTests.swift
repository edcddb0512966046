import APIModels
import ContainerProduct
import ControllerCore
import HTTPTypes
import HummingbirdCore
import Model
import Store
import Testing
import WireProtocol

@testable import API
@testable import HTTP

/// Domains and backups over HTTP, of a product that has both.
@Suite struct DomainTests {
    private static var product: Product {
        var product = Container.product
        product.domains = DomainOffer(
            quota: { _ in 2 }, zones: { _ in ["sites.example.org"] },
            addresses: { _, _ throws(PortError) in ["203.0.113.10", "2001:db8::10"] },
            check: Verb("check-domain", from: [.running]), remove: Verb("remove-domain", from: [.running]))
        product.backups = BackupOffer(
            rule: { _ in .init(keep: 1, every: nil) }, backUp: .backUp, restore: .restore,
            remove: Verb("remove-backup", from: [.running]), question: { _, _ in nil }, read: { _, _ in .unclear },
            copy: { spec, plan throws(CoreError) in plan ?? spec })
        return product
    }

    private struct Scene {
        var house: House
        var service: String
        var path: String { "/api/v1/services/\(service)" }

        init() async throws {
            house = try await House(products: [DomainTests.product])
            service = try await house.addService().service?.id ?? ""
            let operation = try await house.store.operations(OperationFilter(service: service)).items[0]
            try await house.store.updateOperation(operation.id) { $0.state = .succeeded }
            try await house.store.updateService(service, at: house.clock.time) { $0.state = .running }
        }

        func add(_ domain: String, to path: String? = nil, key: String? = nil) async throws -> Reply {
            try await house.ask(.post, "\(path ?? self.path)/domains", #"{"domain":"\#(domain)"}"#, key: key)
        }

        func backup(_ id: String = "bak_1") async throws {
            try await house.store.insertBackup(
                BackupRecord(
                    id: id, service: service, name: "store:backup/x", node: "nod_1", sizeBytes: 7,
                    madeAt: house.clock.time))
        }
    }

    @Test func `a domain is shown with its proof and the records that lead here`() async throws {
        let scene = try await Scene()
        let made = try await scene.add("Bücher.example")
        #expect(made.status == 201)
        let again = try await scene.add("www.bücher.example")
        #expect(again.status == 200 && again.text == made.text)
        let view = try made.json
        #expect(view["domain"] == "xn--bcher-kva.example" && view["unicode"] == "bücher.example")
        #expect(view["state"] == "awaiting_proof" && view["since"] != nil && view["checked_at"] == nil)
        #expect(view["proof"]?["type"] == "TXT" && view["proof"]?["name"] == "_innkeeper.xn--bcher-kva.example")
        #expect(view["proof"]?["value"]?.asString?.hasPrefix("innkeeper-verification=") == true)
        let records = (view["records"]?.asArray ?? []).map { record in
            ["type", "name", "value"].map { record[$0]?.asString ?? "" }.joined(separator: " ")
        }
        #expect(
            records == [
                "A xn--bcher-kva.example 203.0.113.10", "AAAA xn--bcher-kva.example 2001:db8::10",
                "A www.xn--bcher-kva.example 203.0.113.10", "AAAA www.xn--bcher-kva.example 2001:db8::10",
            ])
        let listed = try await scene.house.ask(.get, "\(scene.path)/domains").json["items"]?.asArray
        #expect(listed == [view])
    }

    @Test func `what cannot be had is 422, what others have and what is beyond the plan 409`() async throws {
        let scene = try await Scene()
        for domain in ["co.uk", "a.sites.example.org", "not a domain", "192.0.2.1", "localhost", ""] {
            let reply = try await scene.add(domain)
            #expect(reply.status == 422, "\(domain): \(reply.text)")
            #expect(try reply.problem.field == "domain")
            #expect(try reply.problem.kind == .unusable)
        }
        #expect(try await scene.house.ask(.post, "\(scene.path)/domains", "{}").status == 400)
        let other = try await scene.house.addService("bill:2").service?.id ?? ""
        try await scene.house.store.updateService(other, at: scene.house.clock.time) { $0.state = .running }
        #expect(try await scene.add("example.net").status == 201)
        let operation = try await scene.house.store.operations(OperationFilter(service: scene.service)).items[0].id
        _ = try await scene.house.store.claim(
            domain: "example.net", for: scene.service, operation: operation, at: scene.house.clock.time)
        try await scene.house.store.updateDomain(
            "example.net", service: scene.service, at: scene.house.clock.time
        ) { $0.state = .proven }
        let taken = try await scene.add("www.example.net", to: "/api/v1/services/\(other)")
        #expect(taken.status == 409 && !taken.text.contains(scene.service))
        #expect(try await scene.add("example.com").status == 201)
        let beyond = try await scene.add("a.example.com")
        #expect(beyond.status == 409 && beyond.text.contains("allows 2 domains"))
        let pending = try await scene.house.addService("bill:3").service?.id ?? ""
        #expect(try await scene.add("b.example.com", to: "/api/v1/services/\(pending)").status == 409)
    }

    @Test func `checks and removals are operations, and the same one that waits is 200`() async throws {
        let scene = try await Scene()
        _ = try await scene.add("example.net")
        let check = try await scene.house.ask(.post, "\(scene.path)/domains/example.net/check")
        #expect(check.status == 202)
        #expect(try check.model(AcceptedOperation.self).operation.kind == "check-domain")
        let again = try await scene.house.ask(.post, "\(scene.path)/domains/www.example.net/check")
        #expect(again.status == 200)
        #expect(
            try again.model(AcceptedOperation.self).operation.id == check.model(AcceptedOperation.self).operation.id)
        let removal = try await scene.house.ask(.delete, "\(scene.path)/domains/example.net")
        #expect(removal.status == 202)
        for path in ["example.com", "nothing", "%20"] {
            #expect(try await scene.house.ask(.delete, "\(scene.path)/domains/\(path)").status == 404, "\(path)")
            #expect(try await scene.house.ask(.post, "\(scene.path)/domains/\(path)/check").status == 404, "\(path)")
        }
    }

    @Test func `backups are shown, made, removed and restored`() async throws {
        let scene = try await Scene()
        try await scene.backup()
        let shown = try await scene.house.ask(.get, "/api/v1/backups/bak_1").json
        #expect(shown["service"] == .string(scene.service) && shown["state"] == "available" && shown["size_bytes"] == 7)
        #expect(shown["made_at"] != nil && shown["verified_at"] == nil && shown["name"] == "store:backup/x")
        let listed = try await scene.house.ask(.get, "\(scene.path)/backups").json["items"]?.asArray
        #expect(listed == [shown])
        func order(_ method: HTTPRequest.Method, _ path: String, _ body: String? = nil) async throws -> String {
            let reply = try await scene.house.ask(method, path, body)
            let kind = try? reply.model(AcceptedOperation.self).operation.kind
            return "\(reply.status) \(kind ?? reply.text)"
        }
        #expect(try await order(.post, "\(scene.path)/backups") == "202 back-up")
        #expect(try await order(.post, "\(scene.path)/backups", #"{"reason":"again"}"#) == "200 back-up")
        #expect(try await order(.post, "/api/v1/backups/bak_1/restore", "{}") == "202 restore")
        #expect(try await order(.delete, "/api/v1/backups/bak_1") == "202 remove-backup")
        let into = #"{"into":{"external_id":"copy","customer":"c2"}}"#
        #expect(try await order(.post, "/api/v1/backups/bak_1/restore", into) == "202 provision")
        #expect(try await order(.post, "/api/v1/backups/bak_1/restore", into) == "200 provision")
        let copy = try #require(try await scene.house.store.service(externalID: "copy"))
        #expect(copy.customer == "c2" && copy.state == .pending)
        #expect(try await order(.post, "/api/v1/backups/bak_1/restore", #"{"into":{"plan":"none"}}"#).hasPrefix("400"))
        #expect(try await order(.post, "/api/v1/backups/bak_2/restore", "{}").hasPrefix("404"))
        #expect(try await order(.post, "/api/v1/backups/bak_1/restore", #"{"onto":{}}"#).hasPrefix("400"))
    }

    @Test func `a customer sees and changes his own, and nothing of storages and nodes`() async throws {
        let scene = try await Scene()
        try await scene.backup()
        _ = try await scene.add("example.net")
        func key(_ customer: String) async throws -> String {
            let body = #"{"name":"k","scopes":["read","services"],"customer":"\#(customer)"}"#
            return try await scene.house.ask(.post, "/api/v1/keys", body).model(APIKey.self).secret ?? ""
        }
        let (own, other) = (try await key("c1"), try await key("c2"))
        let seen = try await scene.house.ask(.get, "/api/v1/backups/bak_1", key: own)
        #expect(seen.status == 200 && !seen.text.contains("nod_1") && !seen.text.contains("store:"))
        #expect(try await scene.house.ask(.get, "\(scene.path)/domains", key: own).text.contains("example.net"))
        #expect(try await scene.add("example.com", key: own).status == 201)
        for (method, path, body) in [
            (HTTPRequest.Method.get, "/api/v1/backups/bak_1", nil), (.delete, "/api/v1/backups/bak_1", nil),
            (.post, "/api/v1/backups/bak_1/restore", "{}"), (.get, "\(scene.path)/domains", nil),
            (.get, "\(scene.path)/backups", nil), (.post, "\(scene.path)/backups", nil),
            (.post, "\(scene.path)/domains", #"{"domain":"example.info"}"#),
            (.post, "\(scene.path)/domains/example.net/check", nil),
            (.delete, "\(scene.path)/domains/example.net", nil),
        ] as [(HTTPRequest.Method, String, String?)] {
            #expect(try await scene.house.ask(method, path, body, key: other).status == 404, "\(method) \(path)")
        }
        let theirs = #"{"into":{"customer":"c2"}}"#
        #expect(try await scene.house.ask(.post, "/api/v1/backups/bak_1/restore", theirs, key: own).status == 400)
        #expect(
            try await scene.house.ask(.post, "/api/v1/backups/bak_1/restore", #"{"into":{}}"#, key: own).status == 202)
    }

    @Test func `an upgrade to fewer domains than there are is refused`() async throws {
        var product = Self.product
        product.domains?.quota = { $0["memory_bytes"] == .integer(134_217_728) ? 0 : 2 }
        let house = try await House(products: [product])
        let service = try await house.addService().service?.id ?? ""
        let operation = try await house.store.operations(OperationFilter(service: service)).items[0]
        try await house.store.updateOperation(operation.id) { $0.state = .succeeded }
        try await house.store.updateService(service, at: house.clock.time) { $0.state = .running }
        let path = "/api/v1/services/\(service)"
        #expect(try await house.ask(.post, "\(path)/domains", #"{"domain":"example.net"}"#).status == 201)
        let upgrade = #"{"overrides":{"memory_bytes":134217728}}"#
        let refused = try await house.ask(.post, "\(path)/upgrade", upgrade)
        #expect(refused.status == 409 && refused.text.contains("has 1 domains of its own, and 0 would be allowed"))
    }
}
