import APIModels
import HTTPTypes
import HummingbirdCore
import Model
import Store
import Testing
@testable import API

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

    @Test func `a refusal is remembered, and so is its kind`() async throws {
        let house = try await House()
        let order = #"{"customer":"c1","plan":"none"}"#
        let first = try await house.ask(.post, "/api/v1/services", order, idempotency: "a")
        _ = try await house.ask(.put, "/api/v1/plans/none", House.plan)
        let second = try await house.ask(.post, "/api/v1/services", order, idempotency: "a")
        #expect(first.status == 400 && second.status == 400)
        #expect(second.response.headers[.contentType] == Problem.mediaType)
        #expect(try await house.ask(.post, "/api/v1/services", order, idempotency: "b").status == 202)
    }

    @Test func `a secret is repeated while the process lives and lost with it`() async throws {
        let house = try await House()
        let body = #"{"name":"ci","scopes":["read"]}"#
        let first = try await house.ask(.post, "/api/v1/keys", body, idempotency: "a").model(APIKey.self)
        let second = try await house.ask(.post, "/api/v1/keys", body, idempotency: "a").model(APIKey.self)
        #expect(first.secret != nil && first.secret == second.secret)
        let reborn = APIServer(
            store: house.store, operations: house.operations, settings: .init(authorityPin: ""), tls: nil,
            logger: House.logger, now: { house.clock.time })
        let third = try await house.ask(.post, "/api/v1/keys", body, idempotency: "a", of: reborn).model(APIKey.self)
        #expect(third.id == first.id && third.secret == nil)
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
        let idempotency = Idempotency(store: house.store)
        let caller = Caller(key: "key_1", name: "t", scopes: [.admin])
        let (entered, enter) = AsyncStream<Void>.makeStream()
        let (gate, open) = AsyncStream<Void>.makeStream()
        async let first = idempotency.once(
            "k", by: caller, digest: "d", at: HouseClock.start, logger: House.logger
        ) {
            enter.yield()
            for await _ in gate { break }
            return .nothing
        }
        for await _ in entered { break }
        await #expect(throws: Problem.self) {
            _ = try await idempotency.once(
                "k", by: caller, digest: "d", at: HouseClock.start, logger: House.logger
            ) { .nothing }
        }
        open.yield()
        #expect(try await first.status == .noContent)
    }

    @Test func `after a day the key is free`() async throws {
        let house = try await House()
        _ = try await house.ask(.post, "/api/v1/tokens", "{}", idempotency: "a")
        house.clock.advance(Idempotency.lifetime)
        _ = try await house.ask(.post, "/api/v1/tokens", #"{"uses":3}"#, idempotency: "a")
        #expect(try await house.store.tokens().items.count == 2)
    }

    @Test(arguments: ["", "a b", String(repeating: "x", count: 256)])
    func `a key that is none is refused`(key: String) async throws {
        let house = try await House()
        #expect(try await house.ask(.post, "/api/v1/tokens", "{}", idempotency: key).status == 400)
    }
}
