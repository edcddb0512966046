import APIModels
import HTTPTypes
import HummingbirdCore
import Store
import Testing
import WireProtocol
@testable import API
@testable import HTTP

/// What every endpoint has in common: paths, methods, bodies, queries, pages.
@Suite struct ShapeTests {
    @Test func `an unknown path is a problem that names it`() async throws {
        let house = try await House()
        let reply = try await house.ask(.get, "/api/v1/nothing")
        #expect(reply.status == 404)
        #expect(try reply.problem.instance == "/api/v1/nothing")
        #expect(reply.response.headers[.requestID] == "test-request")
    }

    @Test func `a known path with another method says what is offered`() async throws {
        let house = try await House()
        let reply = try await house.ask(.patch, "/api/v1/plans/x", "{}")
        #expect(reply.status == 405)
        #expect(reply.response.headers[.allow] == "DELETE, GET, HEAD, OPTIONS, PUT")
    }

    @Test func `HEAD is there wherever GET is, with the same fields and no body`() async throws {
        let house = try await House()
        try await house.addNode()
        for path in ["/api/v1/nodes", "/api/v1/nodes/alpha", "/healthz", "/metrics", "/api/v1/events", "/openapi.json"]
        {
            let head = try await house.ask(.head, path)
            #expect(head.status == 200 && head.body.isEmpty, "\(path)")
            guard path != "/api/v1/events", path != "/metrics" else { continue }
            let get = try await house.ask(.get, path)
            #expect(head.response.headers == get.response.headers, "\(path)")
            #expect(head.response.headers[.contentLength] == String(get.body.count), "\(path)")
        }
        let absent = try await house.ask(.head, "/api/v1/nodes/beta")
        #expect(absent.status == 404 && absent.body.isEmpty)
        #expect(try await house.ask(.head, "/api/v1/placements").status == 405)
        #expect(house.server.listeners == 0)
    }

    @Test(arguments: ["TRACE", "CONNECT", "PROPFIND", "BREW"])
    func `a method that nobody offers is told what is`(method: String) async throws {
        let house = try await House()
        let reply = try await house.ask(.init(method)!, "/api/v1/nodes")
        #expect(reply.status == 405)
        #expect(reply.response.headers[.allow] == "GET, HEAD, OPTIONS")
        #expect(try await house.ask(.init(method)!, "/api/v1/nothing").status == 404)
    }

    @Test func `OPTIONS says what there is, to anybody`() async throws {
        let house = try await House()
        let reply = try await house.ask(.options, "/api/v1/nodes/x/labels", key: "")
        #expect(reply.status == 204)
        #expect(reply.response.headers[.allow] == "GET, HEAD, OPTIONS, PATCH, PUT")
    }

    @Test func `a parameter that is given twice is refused, one that is a list is not`() async throws {
        let house = try await House()
        let reply = try await house.ask(.get, "/api/v1/services?state=running&state=failed")
        #expect(reply.status == 400)
        #expect(try reply.problem.field == "state")
        try await house.addNode()
        #expect(try await house.ask(.get, "/api/v1/nodes/alpha/metrics?name=a&name=b").status == 200)
    }

    @Test func `filters take the names that paths take, and say when there is no such thing`() async throws {
        let house = try await House()
        try await house.addNode()
        let id = try #require(try await house.addService("bill:1").service?.id)
        try await house.store.updateService(id, at: house.clock.time) { $0.node = "nod_1" }
        func count(_ path: String) async throws -> Int? {
            try await house.ask(.get, path).json["items"]?.asArray?.count
        }
        for node in ["alpha", "nod_1"] { #expect(try await count("/api/v1/services?node=\(node)") == 1) }
        for service in ["bill:1", id] { #expect(try await count("/api/v1/operations?service=\(service)") == 1) }
        #expect(try await count("/api/v1/services?plan=small") == 1)
        for query in ["services?node=beta", "services?plan=big", "operations?node=beta", "operations?service=bill:2"] {
            let reply = try await house.ask(.get, "/api/v1/\(query)")
            #expect(reply.status == 404, "\(query)")
            #expect(try reply.problem.field != nil)
        }
        #expect(try await house.ask(.get, "/api/v1/operations?kind=provison").status == 400)
        #expect(try await house.ask(.get, "/api/v1/services?external_id=bill:1&state=running").status == 400)
    }

    @Test func `1_0 is an integer, 1_5 is none`() async throws {
        let house = try await House()
        #expect(try await house.ask(.post, "/api/v1/tokens", #"{"uses":2.0}"#).model(JoinTokenView.self).usesLeft == 2)
        #expect(try await house.ask(.post, "/api/v1/tokens", #"{"uses":3e0}"#).status == 201)
        #expect(try await house.ask(.post, "/api/v1/tokens", #"{"uses":1.5}"#).status == 400)
        #expect(try await house.ask(.post, "/api/v1/tokens", #"{"uses":1e300}"#).status == 400)
    }

    @Test func `an encoded body and another alphabet are refused`() async throws {
        let house = try await House()
        let coded = try await house.ask(.post, "/api/v1/tokens", "{}", headers: [.contentEncoding: "gzip"])
        #expect(coded.status == 415)
        #expect(coded.response.headers[.acceptEncoding] == "identity")
        let latin = try await house.ask(
            .post, "/api/v1/tokens", "{}", headers: [.contentType: "application/json; charset=iso-8859-1"])
        #expect(latin.status == 415)
        let plain = try await house.ask(
            .post, "/api/v1/tokens", "{}",
            headers: [.contentType: "application/json; charset=\"UTF-8\"", .contentEncoding: "identity"])
        #expect(plain.status == 201)
    }

    @Test func `an expectation that nobody knows is refused`() async throws {
        let house = try await House()
        #expect(try await house.ask(.post, "/api/v1/tokens", "{}", headers: [.expect: "200-ok"]).status == 417)
    }

    @Test(arguments: [
        (#"{"name":"a"}"#, "spec", "is missing"),
        (#"{"name":"a","spec":{}}"#, "spec.image", "is missing"),
        (#"{"name":1,"spec":{}}"#, "name", "must be a string, not an integer"),
        (
            #"{"name":"a","spec":{"image":"i","memory_bytes":"64M","cpu_millis":1,"disk_bytes":1}}"#,
            "spec.memory_bytes", "must be an integer, not a string"
        ),
        (
            #"{"name":"a","spec":{"image":"i","memory_bytes":1.5,"cpu_millis":1,"disk_bytes":1}}"#,
            "spec.memory_bytes", "must be an integer, not a number"
        ),
        (
            #"{"name":"a","spec":{"image":"i","memroy_bytes":1,"memory_bytes":1,"cpu_millis":1,"disk_bytes":1}}"#,
            "spec.memroy_bytes", "is not a known field"
        ),
        (
            #"{"name":"a","spec":{"image":"i","memory_bytes":1,"cpu_millis":1,"disk_bytes":1,"command":["a",2]}}"#,
            "spec.command[1]", "must be a string, not an integer"
        ),
        (
            #"{"name":"a","spec":{"image":"i","memory_bytes":1,"cpu_millis":1,"disk_bytes":1,"env":{"A":true}}}"#,
            "spec.env.A", "must be a string, not a boolean"
        ),
        (
            #"{"name":"a","spec":{"image":"i","memory_bytes":1,"cpu_millis":1,"disk_bytes":1,"placement":{"strategy":"far"}}}"#,
            "spec.placement.strategy", "must be one of spread, pack, not \"far\""
        ),
        (
            #"{"name":"a","spec":{"image":"-i","memory_bytes":67108864,"cpu_millis":100,"disk_bytes":67108864}}"#,
            "spec.image", "must be"
        ),
    ])
    func `a wrong field is named with its path`(body: String, field: String, problem: String) async throws {
        let house = try await House()
        let reply = try await house.ask(.post, "/api/v1/plans", body)
        #expect(reply.status == 400)
        #expect(try reply.problem.field == field)
        #expect(try reply.problem.detail.contains(problem))
    }

    @Test(arguments: ["", "{", "[]", "\"x\"", "{\"name\":\"a\",\"name\":\"b\"}", "\u{0}"])
    func `a body that is not an object of ours is refused`(body: String) async throws {
        let house = try await House()
        let reply = try await house.ask(.post, "/api/v1/plans", body)
        #expect(reply.status == 400)
        #expect(try !reply.problem.retryable)
    }

    @Test func `a body of another type or size is refused`() async throws {
        let house = try await House()
        let form = try await house.ask(
            .post, "/api/v1/plans", "a=b", headers: [.contentType: "application/x-www-form-urlencoded"])
        #expect(form.status == 415)
        let large = String(repeating: " ", count: StrictBody.limit + 1)
        #expect(try await house.ask(.post, "/api/v1/plans", large).status == 413)
    }

    @Test(arguments: [
        "limit=0", "limit=501", "limit=x", "cursor=x", "cursor=bm9kZXMKeA", "sort=name", "state=broken", "%zz=1",
    ])
    func `a query that makes no sense is refused`(query: String) async throws {
        let house = try await House()
        #expect(try await house.ask(.get, "/api/v1/services?\(query)").status == 400)
    }

    @Test func `pages follow one another and miss nothing`() async throws {
        let house = try await House()
        for number in 1...7 { try await house.addNode("nod_\(number)", name: "node\(number)") }
        var seen: [String] = []
        var path = "/api/v1/nodes?limit=3"
        while true {
            let page = try await house.ask(.get, path).model(Listing<Node>.self)
            #expect(page.items.count <= 3)
            seen += page.items.map(\.id)
            guard let next = page.next else { break }
            path = "/api/v1/nodes?limit=3&cursor=\(next)"
        }
        #expect(seen == (1...7).map { "nod_\($0)" })
    }

    @Test func `a cursor of one list is not good for another`() async throws {
        let house = try await House()
        for number in 1...2 { try await house.addNode("nod_\(number)", name: "node\(number)") }
        let page = try await house.ask(.get, "/api/v1/nodes?limit=1").model(Listing<Node>.self)
        let next = try #require(page.next)
        let reply = try await house.ask(.get, "/api/v1/services?cursor=\(next)")
        #expect(reply.status == 400)
        #expect(try reply.problem.field == "cursor")
    }
}
