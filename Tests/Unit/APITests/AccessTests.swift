import APIModels
import ControllerCore
import HTTPTypes
import HummingbirdCore
import Model
import Store
import TestSupport
import Testing
@testable import API
@testable import HTTP

@Suite struct AccessTests {
    @Test func `a request without a key is told how to come with one`() async throws {
        let house = try await House()
        let reply = try await house.ask(.get, "/api/v1/nodes", key: "")
        #expect(reply.status == 401)
        #expect(reply.response.headers[.wwwAuthenticate] == "Bearer realm=\"innkeeper\"")
        #expect(reply.response.headers[.contentType] == "application/problem+json")
        #expect(try reply.problem.kind == .unauthenticated)
        #expect(try reply.problem.instance == "/api/v1/nodes")
    }

    @Test(arguments: [
        "x", "ikk1.a", "ikk1.key_none.0123456789012345678901234567890123456789012", "ikk1..",
        "ikk2.key_none.0123456789012345678901234567890123456789012",
    ])
    func `what is no key is refused without a reason`(key: String) async throws {
        let house = try await House()
        #expect(try await house.ask(.get, "/api/v1/nodes", key: key).status == 401)
    }

    @Test func `the right id with a wrong secret is refused`() async throws {
        let house = try await House()
        let forged = house.admin.dropLast(4) + (house.admin.hasSuffix("AAAA") ? "BBBB" : "AAAA")
        let reply = try await house.ask(.get, "/api/v1/nodes", key: String(forged))
        #expect(reply.status == 401)
        #expect(try reply.problem.detail == "the API key is not valid")
    }

    @Test func `the store holds no secret`() async throws {
        let house = try await House()
        let reply = try await house.ask(.post, "/api/v1/keys", #"{"name":"ci","scopes":["read"]}"#, idempotency: "k1")
        let secret = try #require(reply.model(APIKey.self).secret)
        await house.store.close()
        let secretPart = try #require(secret.split(separator: ".").last)
        for file in ["store.db", "store.db-wal"] {
            let bytes = (try? house.folder.read(file)) ?? []
            #expect(!String(decoding: bytes, as: UTF8.self).contains(secretPart))
        }
    }

    @Test func `an expired key and a revoked key are refused and told why`() async throws {
        let house = try await House()
        let key = try await house.key("read", expiresAt: HouseClock.start + .seconds(60))
        #expect(try await house.ask(.get, "/api/v1/nodes", key: key).status == 200)
        house.clock.advance(.seconds(60))
        #expect(try await house.ask(.get, "/api/v1/nodes", key: key).problem.detail == "the API key has expired")
        let other = try await house.key("read")
        let id = try #require(KeyText(other)?.id)
        #expect(try await house.ask(.delete, "/api/v1/keys/\(id)").status == 204)
        #expect(try await house.ask(.get, "/api/v1/nodes", key: other).problem.detail == "the API key is revoked")
    }

    @Test(arguments: [
        ("POST", "/api/v1/services", "services"), ("POST", "/api/v1/tokens", "nodes"),
        ("PUT", "/api/v1/plans/x", "plans"), ("GET", "/api/v1/keys", "admin"), ("GET", "/api/v1/audit", "admin"),
        ("POST", "/api/v1/nodes/a/cordon", "nodes"), ("POST", "/api/v1/nodes/a/commands", "commands"),
        ("POST", "/api/v1/operations/a/cancel", "services"),
    ])
    func `a key that may only look is told which scope it lacks`(
        method: String, path: String, scope: String
    ) async throws {
        let house = try await House()
        let reply = try await house.ask(.init(method)!, path, key: house.key("read"))
        #expect(reply.status == 403)
        #expect(try reply.problem.detail.hasSuffix("lacks the scope \(scope)"))
    }

    @Test func `any scope may look, and each opens its own doors`() async throws {
        let house = try await House()
        let key = try await house.key("plans")
        #expect(try await house.ask(.get, "/api/v1/services", key: key).status == 200)
        #expect(try await house.ask(.put, "/api/v1/plans/small", House.plan, key: key).status == 200)
        #expect(try await house.ask(.post, "/api/v1/tokens", key: key).status == 403)
    }

    @Test func `the use of a key is noted`() async throws {
        let house = try await House()
        let key = try await house.key("read")
        _ = try await house.ask(.get, "/api/v1/nodes", key: key)
        let id = try #require(KeyText(key)?.id)
        #expect(try await house.store.key(id)?.lastUsedAt == HouseClock.start)
    }

    @Test func `health needs no key`() async throws {
        let house = try await House()
        #expect(try await house.ask(.get, "/healthz", key: "").model(Health.self).status == "ok")
        #expect(try await house.ask(.get, "/readyz", key: "").status == 200)
        let starting = try await House { $0.isReady = { false } }
        #expect(try await starting.ask(.get, "/readyz", key: "").status == 503)
        #expect(try await starting.ask(.get, "/healthz", key: "").status == 200)
    }

    @Test func `a closed store makes the controller not ready, and other calls unavailable`() async throws {
        let house = try await House()
        await house.store.close()
        #expect(try await house.ask(.get, "/readyz", key: "").status == 503)
        let reply = try await house.ask(.get, "/api/v1/nodes")
        #expect(reply.status == 503)
        #expect(try reply.problem.retryable)
    }
}
