import APIModels
import ControllerCore
import HTTPTypes
import HummingbirdCore
import Model
import Store
import Testing
import WireProtocol
@testable import API
@testable import HTTP

@Suite struct IdempotencyTests {
    @Test func `the same request with the same key is answered with the first answer`() async throws {
        let house = try await House()
        _ = try await house.ask(.put, "/api/v1/plans/small", House.plan)
        let order = #"{"customer":"c1","plan":"small"}"#
        let first = try await house.ask(.post, "/api/v1/services", order, idempotency: "a")
        let second = try await house.ask(.post, "/api/v1/services", order, idempotency: "a")
        #expect(first.status == 202 && second.status == 202)
        #expect(first.body == second.body)
        #expect(second.response.headers[.location] == first.response.headers[.location])
        #expect(second.response.headers[.idempotentReplay] == "true")
        #expect(try await house.store.services().items.count == 1)
        let third = try await house.ask(.post, "/api/v1/services", order, idempotency: "b")
        #expect(third.body != first.body)
    }

    @Test func `the same key with another request is refused`() async throws {
        let house = try await House()
        _ = try await house.ask(.post, "/api/v1/tokens", #"{"uses":1}"#, idempotency: "a")
        let body = try await house.ask(.post, "/api/v1/tokens", #"{"uses":2}"#, idempotency: "a")
        #expect(body.status == 422)
        #expect(try body.problem.kind == .keyReused)
        let path = try await house.ask(.put, "/api/v1/plans/small", House.plan, idempotency: "a")
        #expect(path.status == 422)
        #expect(try await house.store.tokens().items.count == 1)
    }

    @Test func `keys of different callers do not meet`() async throws {
        let house = try await House()
        let other = try await house.key("nodes")
        _ = try await house.ask(.post, "/api/v1/tokens", "{}", idempotency: "a")
        #expect(try await house.ask(.post, "/api/v1/tokens", "{}", key: other, idempotency: "a").status == 201)
        #expect(try await house.store.tokens().items.count == 2)
    }

    @Test func `what could not be done is tried again under the same key`() async throws {
        let house = try await House()
        let order = #"{"customer":"c1","plan":"late"}"#
        let refused = try await house.ask(.post, "/api/v1/services", order, idempotency: "invoice-1")
        #expect(refused.status == 400)
        let absent = try await house.ask(.post, "/api/v1/services/bill:9/suspend", "{}", idempotency: "invoice-2")
        #expect(absent.status == 404)
        _ = try await house.ask(.put, "/api/v1/plans/late", House.plan)
        let taken = try await house.ask(.post, "/api/v1/services", order, idempotency: "invoice-1")
        #expect(taken.status == 202 && taken.response.headers[.idempotentReplay] == nil)
        let again = try await house.ask(.post, "/api/v1/services", order, idempotency: "invoice-1")
        #expect(again.body == taken.body && again.response.headers[.idempotentReplay] == "true")
    }

    @Test func `a panel with one key an invoice can suspend what was failed when it asked first`() async throws {
        let house = try await House()
        let id = try #require(try await house.addService("bill:9").service?.id)
        try await house.store.updateOperation(try #require(await house.store.operations().items.first?.id)) {
            $0.state = .failed
        }
        try await house.store.updateService(id, at: house.clock.time) { $0.state = .failed }
        func suspend() async throws -> Reply {
            try await house.ask(.post, "/api/v1/services/bill:9/suspend", "{}", idempotency: "invoice-2")
        }
        #expect(try await suspend().status == 409)
        try await house.store.updateService(id, at: house.clock.time) { $0.state = .running }
        let done = try await suspend()
        #expect(done.status == 202)
        #expect(try await suspend().body == done.body)
    }

    @Test func `what is wrong for ever is refused again, and another request may then use the key`() async throws {
        let house = try await House()
        for _ in 1...2 {
            let reply = try await house.ask(.post, "/api/v1/tokens", #"{"uses":0}"#, idempotency: "a")
            #expect(try reply.problem.field == "uses")
            #expect(reply.response.headers[.contentType] == Problem.mediaType)
        }
        #expect(try await house.ask(.post, "/api/v1/tokens", #"{"uses":1}"#, idempotency: "a").status == 201)
    }

    @Test func `a secret is repeated while the process lives and lost with it`() async throws {
        let house = try await House()
        let body = #"{"name":"ci","scopes":["read"]}"#
        let first = try await house.ask(.post, "/api/v1/keys", body, idempotency: "a").model(APIKey.self)
        let second = try await house.ask(.post, "/api/v1/keys", body, idempotency: "a").model(APIKey.self)
        #expect(first.secret != nil && first.secret == second.secret)
        let reborn = try APIServer(
            operations: house.operations, settings: .init(authorityPin: ""), tls: nil,
            logger: House.logger, now: { house.clock.time })
        let third = try await house.ask(
            .post, "/api/v1/keys", body, idempotency: "a", of: APIRouter(reborn.lists, reborn.pipeline)
        ).model(APIKey.self)
        #expect(third.id == first.id && third.secret == nil)
    }

    @Test func `no secret of an answer comes to the disk, however deep it lies`() async throws {
        let house = try await House()
        let idempotency = Idempotency(KeptAnswers(in: house.operations))
        let caller = Caller(key: "key_1", name: "t", scopes: [.admin])
        let text = """
            {"id":"a","token":"hush-1","items":[{"access":{"db_password":"hush-2","user":"u"}},[{"Secret":["hush-3"]}]],\
            "hidden":{"password":"********"},"tokens_left":4}
            """
        func ask() async throws -> String {
            let response = try await idempotency.once(
                "k", by: caller, digest: "d", at: HouseClock.start
            ) { .json(Array(text.utf8), status: 200, location: nil) }
            let writer = ReplyWriter()
            try await response.body.write(writer)
            return String(decoding: writer.bytes.withLock { $0 }, as: UTF8.self)
        }
        #expect(try await ask() == text)
        let row = IdempotencyRecord(
            key: "k", scope: "key_1", digest: "d", status: 0, body: "", createdAt: HouseClock.start,
            expiresAt: HouseClock.start + Requester.keyLifetime)
        guard case .answered(let kept) = try await house.store.beginIdempotent(row) else {
            Issue.record("the answer was not kept")
            return
        }
        #expect(!kept.body.contains("hush"), "\(kept.body)")
        #expect(try JSONParser.parse(kept.body)["body"]?["items"]?.asArray?[0]["access"] == ["user": "u"])
        #expect(kept.body.contains(#""hidden":{"password":"********"}"#) && kept.body.contains(#""tokens_left":4"#))
        #expect(try await ask() == text)
    }

    @Test func `a key that a dead process left taken is free again`() async throws {
        let house = try await House()
        let caller = try #require(KeyText(house.admin)?.id)
        let digest = Idempotency.digest("POST", "/api/v1/tokens", Array("{}".utf8))
        _ = try await house.store.beginIdempotent(
            IdempotencyRecord(
                key: "a", scope: caller, digest: digest, status: 0, body: "", createdAt: HouseClock.start,
                expiresAt: HouseClock.start + .seconds(3600)))
        #expect(try await house.ask(.post, "/api/v1/tokens", "{}", idempotency: "a").status == 201)
        #expect(try await house.ask(.post, "/api/v1/tokens", "{}", idempotency: "a").status == 201)
        #expect(try await house.store.tokens().items.count == 1)
    }

    @Test func `while the first is under way the second is told to wait`() async throws {
        let house = try await House()
        let idempotency = Idempotency(KeptAnswers(in: house.operations))
        let caller = Caller(key: "key_1", name: "t", scopes: [.admin])
        let (entered, enter) = AsyncStream<Void>.makeStream()
        let (gate, open) = AsyncStream<Void>.makeStream()
        async let first = idempotency.once(
            "k", by: caller, digest: "d", at: HouseClock.start
        ) {
            enter.yield()
            for await _ in gate { break }
            return .nothing
        }
        for await _ in entered { break }
        await #expect(throws: Problem.self) {
            _ = try await idempotency.once(
                "k", by: caller, digest: "d", at: HouseClock.start
            ) { .nothing }
        }
        open.yield()
        #expect(try await first.status == .noContent)
    }

    @Test func `after a day the key is free`() async throws {
        let house = try await House()
        _ = try await house.ask(.post, "/api/v1/tokens", "{}", idempotency: "a")
        house.clock.advance(Requester.keyLifetime)
        _ = try await house.ask(.post, "/api/v1/tokens", #"{"uses":3}"#, idempotency: "a")
        #expect(try await house.store.tokens().items.count == 2)
    }

    @Test(arguments: ["", "a b", String(repeating: "x", count: 256)])
    func `a key that is none is refused`(key: String) async throws {
        let house = try await House()
        #expect(try await house.ask(.post, "/api/v1/tokens", "{}", idempotency: key).status == 400)
    }
}
