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

/// Who did what, with what it takes to understand it later.
@Suite struct AuditTests {
    private func rows(_ house: House, _ query: String = "") async throws -> [AuditEntry] {
        try await house.ask(.get, "/api/v1/audit\(query)").model(Listing<AuditEntry>.self).items
    }

    @Test func `a token and a key are recorded with all that they may`() async throws {
        let house = try await House()
        _ = try await house.ask(
            .post, "/api/v1/tokens", #"{"uses":3,"expires_in_seconds":600,"labels":{"zone":"a"}}"#)
        _ = try await house.ask(
            .post, "/api/v1/keys", #"{"name":"panel","scopes":["services","read"],"expires_in_seconds":600}"#)
        let (key, token) = (try await rows(house)[0], try await rows(house)[1])
        let end = (HouseClock.start + .seconds(600)).iso8601
        #expect(token.action == "token.create" && key.action == "key.create")
        #expect(token.detail == ["uses": 3, "expires_at": .string(end), "labels": ["zone": "a"], "approved": false])
        #expect(key.detail == ["name": "panel", "scopes": ["read", "services"], "expires_at": .string(end)])
    }

    @Test func `a list of tokens tells their makers by name, to those who may know of keys`() async throws {
        let house = try await House()
        let maker = try await house.key("nodes")
        #expect(try await house.ask(.post, "/api/v1/tokens", "{}", key: maker).status == 201)
        let token = try #require(
            try await house.ask(.get, "/api/v1/tokens").model(Listing<JoinTokenView>.self).items.first)
        #expect(token.createdByName == "test" && token.createdBy?.hasPrefix("key:") == true)
        let seen = try await house.ask(.get, "/api/v1/tokens", key: maker).model(Listing<JoinTokenView>.self).items
        #expect(seen.count == 1 && seen[0].createdByName == nil)
    }

    @Test func `a change of a plan says what changed, and no password`() async throws {
        let house = try await House()
        func plan(_ memory: Int, _ password: String) -> String {
            #"{"image":"b","memory_bytes":\#(memory),"cpu_millis":500,"disk_bytes":134217728,"env":{"PW":"\#(password)","A":"b"}}"#
        }
        _ = try await house.ask(.put, "/api/v1/plans/small", plan(67_108_864, "hidden-one"))
        _ = try await house.ask(.put, "/api/v1/plans/small", plan(134_217_728, "hidden-two"))
        let reply = try await house.ask(.get, "/api/v1/audit")
        let rows = try reply.model(Listing<AuditEntry>.self).items
        #expect(rows[0].action == "plan.update")
        #expect(
            rows[0].detail == [
                "revision": 2,
                "changed": ["env": ["PW"], "memory_bytes": ["from": 67_108_864, "to": 134_217_728]],
            ])
        #expect(rows[1].action == "plan.create" && rows[1].detail?["changed"]?["image"] == ["to": "b"])
        #expect(!reply.text.contains("hidden-"))
    }

    @Test func `labels, orders and upgrades say what they changed`() async throws {
        let house = try await House()
        try await house.addNode()
        _ = try await house.ask(.put, "/api/v1/nodes/alpha/labels", #"{"labels":{"a":"1","b":"2"}}"#)
        _ = try await house.ask(.patch, "/api/v1/nodes/alpha/labels", #"{"labels":{"a":"3","b":null}}"#)
        #expect(
            try await rows(house)[0].detail?["changed"] == ["a": ["from": "1", "to": "3"], "b": ["from": "2"]])
        let id = try #require(try await house.addService().service?.id)
        #expect(try await rows(house)[0].detail?["plan"] == "small")
        #expect(try await rows(house)[0].detail?["customer"] == "c1")
        let operation = try #require(await house.store.operations().items.first?.id)
        try await house.store.updateOperation(operation) { $0.state = .succeeded }
        try await house.store.updateService(id, at: house.clock.time) { $0.state = .running }
        let order = #"{"overrides":{"memory_bytes":134217728}}"#
        #expect(try await house.ask(.post, "/api/v1/services/\(id)/upgrade", order).status == 202)
        #expect(
            try await rows(house)[0].detail?["changed"] == ["memory_bytes": ["from": 67_108_864, "to": 134_217_728]])
    }

    @Test func `actors have names, and rows are found by them`() async throws {
        let house = try await House()
        try await house.addNode()
        let key = KeyText.make()
        try await house.store.insertKey(
            key.record(name: "panel", scopes: ["admin"], createdAt: HouseClock.start))
        _ = try await house.ask(.post, "/api/v1/nodes/alpha/cordon", key: key.text)
        _ = try await house.ask(.post, "/api/v1/nodes/alpha/uncordon")
        for actor in ["panel", key.id, "key:\(key.id)"] {
            let rows = try await rows(house, "?actor=\(actor)")
            #expect(rows.map(\.action) == ["node.cordon"])
            #expect(rows.first?.actorName == "panel" && rows.first?.actor == "key:\(key.id)")
        }
        #expect(try await rows(house, "?subject=alpha").map(\.action) == ["node.uncordon", "node.cordon"])
        #expect(try await house.ask(.get, "/api/v1/audit?subject=gamma").status == 404)
        #expect(try await house.ask(.get, "/api/v1/audit?actor=nobody").status == 404)
    }

    @Test func `denied calls are recorded, with who and why`() async throws {
        let house = try await House()
        let read = try await house.key("read")
        let revoked = try await house.key("read")
        let id = try #require(KeyText(revoked)?.id)
        _ = try await house.store.revokeKey(id, at: HouseClock.start)
        #expect(try await house.ask(.post, "/api/v1/tokens", "{}", key: read).status == 403)
        #expect(try await house.ask(.get, "/api/v1/nodes", key: "ikk1.x").status == 401)
        #expect(try await house.ask(.get, "/api/v1/nodes", key: revoked).status == 401)
        let denied = try await rows(house).filter { $0.action == "call.denied" }
        let reader = try #require(KeyText(read)?.id)
        #expect(denied.map(\.actor) == ["key:\(id)", "stranger", "key:\(reader)"])
        #expect(denied.map(\.subject) == ["/api/v1/nodes", "/api/v1/nodes", "/api/v1/tokens"])
        #expect(denied.last?.detail?["reason"]?.asString?.hasSuffix("lacks the scope nodes") == true)
        #expect(denied.last?.detail?["status"] == 403)
    }

    @Test func `a flood of denied calls leaves a few rows and their number`() async throws {
        let house = try await House { $0.http.guessRate = Rate(perSecond: 1000, burst: 100_000) }
        for _ in 0..<500 { _ = try await house.ask(.get, "/api/v1/nodes", key: "x") }
        #expect(try await rows(house).count == 1)
        house.clock.advance(.seconds(600))
        _ = try await house.ask(.get, "/api/v1/nodes", key: "x")
        #expect(try await rows(house).first?.detail?["others"] == 499)
    }

    @Test func `however many ask, the rows of half a day are bounded`() async throws {
        let house = try await House()
        let log = DenialLog(store: house.store)
        for second in 0..<4320 {
            await log.note(
                AuditRecord(
                    id: Identifier.make("aud"), time: HouseClock.start + .seconds(second * 10), actor: "stranger",
                    action: "call.denied", subject: "/", detail: ["reason": "x"], remote: "192.0.2.\(second)"))
        }
        let count = try await house.store.auditLog(page: PageRequest(limit: 500)).items.count
        // Sixty at once, then one each three minutes.
        #expect(count > 60 && count <= 60 + 240)
    }
}
