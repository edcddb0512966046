import APIModels
import HTTPTypes
import HummingbirdCore
import Model
import Store
import Testing
import WireProtocol
@testable import API
@testable import HTTP

@Suite struct ServiceTests {
    @Test func `a plan is created, changed and retired`() async throws {
        let house = try await House()
        let path = "/api/v1/plans/small"
        let body = #"{"name":"small","spec":\#(House.plan)}"#
        let made = try await house.ask(.post, "/api/v1/plans", body)
        #expect(made.status == 201 && made.response.headers[.location] == path)
        #expect(try await house.ask(.post, "/api/v1/plans", body).status == 409)
        #expect(try await house.ask(.put, path, House.plan).model(Plan.self).revision == 1)
        let other = House.plan.replacing("67108864", with: "134217728")
        let changed = try await house.ask(.put, path, other).model(Plan.self)
        #expect(changed.revision == 2 && changed.spec["memory_bytes"] == .integer(128 << 20))
        #expect(try await house.ask(.get, path).model(Plan.self).revision == 2)
        #expect(try await house.ask(.delete, path).status == 204)
        #expect(try await house.ask(.get, path).model(Plan.self).retiredAt != nil)
        #expect(try await house.ask(.get, "/api/v1/plans").model(Listing<Plan>.self).items.map(\.name) == ["small"])
        #expect(try await house.ask(.get, "/api/v1/plans/large").status == 404)
    }

    @Test func `an order is accepted with its operation, and is the same when it comes again`() async throws {
        let house = try await House()
        _ = try await house.ask(.put, "/api/v1/plans/small", House.plan)
        let order = #"{"external_id":"pm:1:7","customer":"c1","plan":"small","overrides":{"memory_bytes":134217728}}"#
        let first = try await house.ask(.post, "/api/v1/services", order)
        #expect(first.status == 202)
        let accepted = try first.model(AcceptedOperation.self)
        #expect(first.response.headers[.location] == "/api/v1/operations/\(accepted.operation.id)")
        #expect(accepted.operation.kind == "provision" && accepted.operation.state == "queued")
        #expect(accepted.service?.spec?["memory_bytes"] == .integer(128 << 20))
        let second = try await house.ask(.post, "/api/v1/services", order)
        #expect(second.status == 200)
        #expect(try second.model(AcceptedOperation.self).operation.id == accepted.operation.id)
        let another = try await house.ask(.post, "/api/v1/services", order.replacing("c1", with: "c2"))
        #expect(another.status == 409)
    }

    @Test(arguments: [
        (#"{"customer":"c1","plan":"none"}"#, "plan"), (#"{"customer":"a b","plan":"small"}"#, "customer"),
        (#"{"external_id":"a b","customer":"c1","plan":"small"}"#, "external_id"),
        (#"{"external_id":"..","customer":"c1","plan":"small"}"#, "external_id"),
        (#"{"external_id":".","customer":"c1","plan":"small"}"#, "external_id"),
        (#"{"external_id":"svc_01k2aaaaaaaaaaaaaaaaaaaaaa","customer":"c1","plan":"small"}"#, "external_id"),
        (#"{"external_id":"OP_01k2aaaaaaaaaaaaaaaaaaaaaa","customer":"c1","plan":"small"}"#, "external_id"),
        (#"{"customer":"..","plan":"small"}"#, "customer"),
        (#"{"customer":"c1","plan":"small","overrides":{"image":"x"}}"#, "overrides.image"),
        (#"{"customer":"c1","plan":"small","overrides":{"memory_bytes":1}}"#, "overrides.memory_bytes"),
    ])
    func `an order that makes no sense names its field`(order: String, field: String) async throws {
        let house = try await House()
        _ = try await house.ask(.put, "/api/v1/plans/small", House.plan)
        let reply = try await house.ask(.post, "/api/v1/services", order)
        #expect(reply.status == 400)
        #expect(try reply.problem.field == field)
    }

    @Test func `a text that means two services stands for neither`() async throws {
        let house = try await House()
        let first = try #require(try await house.addService().service)
        // As an older version took it.
        try await house.store.insertService(
            ServiceRecord(
                id: "svc_x", externalID: first.id, customer: "c2", plan: "small", createdAt: HouseClock.start,
                updatedAt: HouseClock.start))
        #expect(try await house.ask(.post, "/api/v1/services/\(first.id)/terminate").status == 409)
        #expect(try await house.ask(.get, "/api/v1/services/bill:1").status == 200)
        let shadow = #"{"external_id":"svc_x","customer":"c1","plan":"small"}"#
        let refused = try await house.ask(.post, "/api/v1/services", shadow)
        #expect(try refused.status == 400 && refused.problem.field == "external_id")
    }

    @Test func `what lies in an answer under the name of a secret is hidden, however deep`() async throws {
        let house = try await House()
        let made = try await house.addService()
        let service = try #require(made.service)
        try await house.store.updateService(service.id, at: HouseClock.start) {
            $0.observed = ["panel": ["users": [["name": "a", "password": "opensesame", "admin_token": 7]]]]
        }
        try await house.store.updateOperation(made.operation.id) {
            $0.result = ["made": ["secrets": ["x": "opensesame"], "secret": true]]
        }
        for path in [
            "/api/v1/services/\(service.id)", "/api/v1/operations/\(made.operation.id)", "/api/v1/operations",
        ] {
            let reply = try await house.ask(.get, path)
            #expect(reply.status == 200 && !reply.text.contains("opensesame"), "\(path)")
        }
    }

    @Test func `a service is found by id, by external id and by filters`() async throws {
        let house = try await House()
        let accepted = try await house.addService("bill/1")
        let id = try #require(accepted.service?.id)
        let shown = try await house.ask(.get, "/api/v1/services/bill%2F1").model(Service.self)
        #expect(shown.id == id && shown.operation?.id == accepted.operation.id)
        #expect(try await house.ask(.get, "/api/v1/services/\(id)").model(Service.self).externalID == "bill/1")
        for (query, count) in [
            ("customer=c1", 1), ("customer=c2", 0), ("plan=small", 1), ("state=pending", 1), ("state=running", 0),
            ("external_id=bill%2F1", 1), ("external_id=x", 0),
        ] {
            let page = try await house.ask(.get, "/api/v1/services?\(query)").model(Listing<Service>.self)
            #expect(page.items.count == count, "\(query)")
        }
        // A filter that names nothing is not one that found nothing.
        #expect(try await house.ask(.get, "/api/v1/services?node=nod_1").status == 404)
    }

    @Test func `services are found by their labels, all of them`() async throws {
        let house = try await House()
        _ = try await house.ask(.put, "/api/v1/plans/small", House.plan)
        for (number, labels) in [#"{"team":"shop","tier":"gold"}"#, #"{"team":"shop"}"#, #"{"team":"a.b"}"#]
            .enumerated()
        {
            let order = #"{"external_id":"bill:\#(number)","customer":"c1","plan":"small","labels":\#(labels)}"#
            #expect(try await house.ask(.post, "/api/v1/services", order).status == 202)
        }
        _ = try await house.addService("bill:9")
        for (query, found) in [
            ("label=team%3Dshop", ["bill:0", "bill:1"]), ("label=team", ["bill:0", "bill:1", "bill:2"]),
            ("label=team%3Dshop&label=tier%3Dgold", ["bill:0"]), ("label=team%3Da.b", ["bill:2"]),
            ("label=team%3Dnone", []), ("label=team%3Dshop&customer=c2", []),
        ] {
            let page = try await house.ask(.get, "/api/v1/services?\(query)").model(Listing<Service>.self)
            #expect(page.items.compactMap(\.externalID) == found && page.next == nil, "\(query)")
        }
        let first = try await house.ask(.get, "/api/v1/services?label=team&limit=2").model(Listing<Service>.self)
        let rest = try await house.ask(.get, "/api/v1/services?label=team&limit=2&cursor=\(first.next ?? "")")
            .model(Listing<Service>.self)
        #expect(first.items.count == 2 && rest.items.map(\.externalID) == ["bill:2"] && rest.next == nil)
        let twice = try await house.ask(.get, "/api/v1/services?label=team%3Da&label=team%3Db")
        #expect(try twice.status == 400 && twice.problem.field == "label")
    }

    @Test func `terminated services are listed only when asked for`() async throws {
        let house = try await House()
        let id = try #require(await house.addService().service?.id)
        try await house.store.updateService(id, at: house.clock.time) { $0.state = .terminated }
        #expect(try await house.ask(.get, "/api/v1/services").model(Listing<Service>.self).items.isEmpty)
        let all = try await house.ask(.get, "/api/v1/services?terminated=true").model(Listing<Service>.self)
        #expect(all.items.map(\.id) == [id])
    }

    @Test func `each verb is accepted in its state and refused out of it`() async throws {
        let house = try await House()
        let id = try #require(await house.addService().service?.id)
        #expect(try await house.ask(.post, "/api/v1/services/\(id)/resume").status == 409)
        try await house.end(of: id, .running)
        let suspend = try await house.ask(.post, "/api/v1/services/\(id)/suspend", #"{"reason":"unpaid"}"#)
        #expect(suspend.status == 202)
        let accepted = try suspend.model(AcceptedOperation.self).operation
        #expect(accepted.kind == "suspend" && accepted.reason == "unpaid")
        let audit = try await house.ask(.get, "/api/v1/audit?subject=\(id)").model(Listing<AuditEntry>.self)
        #expect(audit.items.first?.action == "service.suspend")
        #expect(audit.items.first?.detail?["reason"] == "unpaid")
        try await house.end(of: id, .suspended)
        #expect(try await house.ask(.post, "/api/v1/services/\(id)/resume").status == 202)
        try await house.end(of: id, .running)
        let upgrade = #"{"overrides":{"memory_bytes":268435456,"disk_bytes":268435456}}"#
        #expect(try await house.ask(.post, "/api/v1/services/\(id)/upgrade", upgrade).status == 202)
        #expect(try await house.ask(.post, "/api/v1/services/\(id)/upgrade", "{}").status == 400)
        try await house.end(of: id, .running)
        #expect(try await house.ask(.delete, "/api/v1/services/\(id)").status == 202)
        #expect(try await house.ask(.post, "/api/v1/services/none/suspend").status == 404)
    }

    @Test func `what is so already is a success for a billing system that asks twice`() async throws {
        let house = try await House()
        let id = try #require(await house.addService().service?.id)
        try await house.end(of: id, .running)
        let resume = try await house.ask(.post, "/api/v1/services/\(id)/resume")
        #expect(resume.status == 200)
        let first = try await house.ask(.post, "/api/v1/services/\(id)/suspend").model(AcceptedOperation.self)
        try await house.end(of: id, .suspended)
        let again = try await house.ask(.post, "/api/v1/services/\(id)/suspend")
        #expect(again.status == 200)
        #expect(try again.model(AcceptedOperation.self).operation.id == first.operation.id)
        _ = try await house.ask(.post, "/api/v1/services/\(id)/terminate")
        try await house.end(of: id, .terminated)
        #expect(try await house.ask(.post, "/api/v1/services/\(id)/terminate").status == 200)
        #expect(try await house.ask(.delete, "/api/v1/services/\(id)").status == 200)
    }
}

extension House {
    /// Lets what is queued for a service end well, as the executor would.
    func end(of service: String, _ state: ServiceRecord.State) async throws {
        for operation in try await store.unfinishedOperations(service: service) {
            try await store.updateOperation(operation.id) { operation in
                operation.state = .succeeded
                operation.finishedAt = operation.createdAt
            }
        }
        try await store.updateService(service, at: clock.time) { $0.state = state }
    }
}
