import APIModels
import HTTPTypes
import HummingbirdCore
import Testing
@testable import API

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
        #expect(reply.response.headers[.allow] == "DELETE, GET, PUT")
    }

    @Test(arguments: [
        (#"{"name":"a"}"#, "spec", "is missing"),
        (#"{"name":"a","spec":{},"color":1}"#, "spec.image", "is missing"),
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
