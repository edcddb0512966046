import APIModels
import HTTPTypes
import HummingbirdCore
import Model
import Store
import Synchronization
import Testing
import Transport
import WireProtocol
@testable import API
@testable import HTTP

@Suite struct NodeTests {
    @Test func `a node is found by id and by name, with its facts`() async throws {
        let house = try await House()
        try await house.addNode()
        for path in ["/api/v1/nodes/nod_1", "/api/v1/nodes/alpha"] {
            let node = try await house.ask(.get, path).model(Node.self)
            #expect(node.id == "nod_1" && node.name == "alpha" && node.state == "never" && node.schedulable)
            #expect(node.capacity == Capacity(cpuMillis: 4000, memoryBytes: 8 << 30, diskBytes: 100 << 30))
        }
        #expect(try await house.ask(.get, "/api/v1/nodes/beta").status == 404)
    }

    @Test func `a node that is drained takes nothing new until it is uncordoned`() async throws {
        let house = try await House()
        _ = try await house.addNode()
        for _ in 1...2 {
            let node = try await house.ask(.post, "/api/v1/nodes/alpha/drain").model(Node.self)
            #expect(!node.schedulable && node.draining == true)
        }
        let drain = try await house.ask(.get, "/api/v1/nodes/alpha").model(Node.self).drain
        #expect(drain?.stops == false && drain?.left == 0 && drain?.services.isEmpty == true)
        _ = try await house.ask(.post, "/api/v1/nodes/alpha/drain", #"{"stop": true}"#).model(Node.self)
        #expect(try await house.ask(.get, "/api/v1/nodes/alpha").model(Node.self).drain?.stops == true)
        let node = try await house.ask(.post, "/api/v1/nodes/alpha/uncordon").model(Node.self)
        #expect(node.schedulable && node.draining == nil)
        let audit = try await house.ask(.get, "/api/v1/audit?subject=nod_1").model(Listing<AuditEntry>.self)
        #expect(audit.items.map(\.action) == ["node.uncordon", "node.drain", "node.drain"])
        #expect(audit.items[1].detail?["stop"] == true)
    }

    @Test func `cordon and uncordon can be repeated`() async throws {
        let house = try await House()
        try await house.addNode()
        for _ in 1...2 {
            let node = try await house.ask(.post, "/api/v1/nodes/alpha/cordon").model(Node.self)
            #expect(!node.schedulable)
        }
        for _ in 1...2 {
            let node = try await house.ask(.post, "/api/v1/nodes/nod_1/uncordon").model(Node.self)
            #expect(node.schedulable)
        }
        // What was so already is no change, and does not stand in the audit log.
        let audit = try await house.ask(.get, "/api/v1/audit?subject=nod_1").model(Listing<AuditEntry>.self)
        #expect(audit.items.map(\.action) == ["node.uncordon", "node.cordon"])
        #expect(audit.items.allSatisfy { $0.actor.hasPrefix("key:key_") })
    }

    @Test func `a node that nobody has approved takes no services, until somebody looks at what it claims`()
        async throws
    {
        let house = try await House()
        try await house.addNode(approved: false)
        #expect(try await house.ask(.post, "/api/v1/nodes/alpha/uncordon").status == 409)
        // It has not said anything yet.
        #expect(try await house.ask(.post, "/api/v1/nodes/alpha/approve").status == 409)
        try await house.store.updateNode("nod_1") {
            $0.schedulable = false
            $0.facts = [
                "drivers": [
                    ["name": "host", "facts": ["processors": 4, "memory_bytes": 1024]],
                    ["name": "zfs", "facts": ["pools": [["name": "tank", "size_bytes": .integer(8 << 50)]]]],
                ]
            ]
        }
        let seen = try await house.ask(.get, "/api/v1/nodes/alpha").model(Node.self)
        #expect(seen.approvedAt == nil)
        #expect(seen.claims?.cpuMillis == 4000 && seen.claims?.pools == ["tank": 8 << 50])
        #expect(seen.claims?.doubts?.first?.contains("not plausible") == true)
        let stale = #"{"claims":{"cpu_millis":4000,"memory_bytes":512,"pools":{}}}"#
        #expect(try await house.ask(.post, "/api/v1/nodes/alpha/approve", stale).status == 409)
        let same = #"{"claims":{"cpu_millis":4000,"memory_bytes":1024,"pools":{"tank":9007199254740992}}}"#
        let node = try await house.ask(.post, "/api/v1/nodes/alpha/approve", same).model(Node.self)
        #expect(node.approvedAt == HouseClock.start && node.schedulable)
        #expect(node.capacity == Capacity(cpuMillis: 4000, memoryBytes: 1024, diskBytes: 0))
        let audit = try await house.ask(.get, "/api/v1/audit?subject=nod_1").model(Listing<AuditEntry>.self)
        #expect(audit.items.map(\.action) == ["node.approve"])
        _ = try await house.ask(.post, "/api/v1/nodes/alpha/revoke")
        #expect(try await house.ask(.post, "/api/v1/nodes/alpha/approve").status == 409)
    }

    @Test func `a token approves only when that is said`() async throws {
        let house = try await House()
        let plain = try await house.ask(.post, "/api/v1/tokens").model(JoinTokenView.self)
        let trusted = try await house.ask(.post, "/api/v1/tokens", #"{"approved":true}"#).model(JoinTokenView.self)
        #expect(plain.approved == false && trusted.approved == true)
        #expect(try await house.store.token(plain.id)?.approves == false)
        #expect(try await house.store.token(trusted.id)?.approves == true)
    }

    @Test func `labels are replaced, and checked`() async throws {
        let house = try await House()
        try await house.addNode()
        let path = "/api/v1/nodes/alpha/labels"
        let node = try await house.ask(.put, path, #"{"labels":{"zone":"a","disk":"ssd"}}"#).model(Node.self)
        #expect(node.labels == ["zone": "a", "disk": "ssd"])
        let fewer = try await house.ask(.put, path, #"{"labels":{"zone":"b"}}"#).model(Node.self)
        #expect(fewer.labels == ["zone": "b"])
        #expect(try await house.ask(.put, path, #"{"labels":{"zone":"b c"}}"#).problem.field == "labels.zone")
        #expect(try await house.ask(.put, path, #"{"labels":{"zone":1}}"#).problem.field == "labels.zone")
    }

    @Test func `a revoked node is cut at once`() async throws {
        let house = try await House()
        try await house.addNode()
        let node = try await house.ask(.post, "/api/v1/nodes/alpha/revoke", #"{"reason":"stolen"}"#).model(Node.self)
        #expect(node.revokedAt == HouseClock.start)
        #expect(house.cut.nodes.withLock { $0 } == ["nod_1"])
        let audit = try await house.ask(.get, "/api/v1/audit").model(Listing<AuditEntry>.self)
        #expect(audit.items.first?.detail?["reason"]?.asString?.contains("stolen") == true)
    }

    @Test func `a node is removed once it is revoked`() async throws {
        let house = try await House()
        try await house.addNode()
        #expect(try await house.ask(.delete, "/api/v1/nodes/alpha").status == 409)
        _ = try await house.ask(.post, "/api/v1/nodes/alpha/revoke")
        #expect(try await house.ask(.delete, "/api/v1/nodes/alpha").status == 204)
        #expect(try await house.ask(.get, "/api/v1/nodes/alpha").status == 404)
    }

    @Test func `a join token is shown once and stored as a hash`() async throws {
        let house = try await House()
        let made = try await house.ask(
            .post, "/api/v1/tokens", #"{"uses":2,"expires_in_seconds":600,"labels":{"zone":"a"}}"#)
        #expect(made.status == 201)
        let view = try made.model(JoinTokenView.self)
        let token = try JoinToken(text: #require(view.token))
        #expect(token.id == view.id && token.caPin == String(repeating: "ab", count: 32))
        let record = try #require(await house.store.token(token.id))
        #expect(record.secretHash == token.secretHash && record.usesLeft == 2 && record.labels == ["zone": "a"])
        #expect(record.expiresAt == HouseClock.start + .seconds(600))
        let list = try await house.ask(.get, "/api/v1/tokens")
        #expect(!list.text.contains(token.secret))
        #expect(try list.model(Listing<JoinTokenView>.self).items.map(\.id) == [token.id])
    }

    @Test func `a join token is revoked, again and again`() async throws {
        let house = try await House()
        let token = try await house.ask(.post, "/api/v1/tokens").model(JoinTokenView.self)
        for _ in 1...2 { #expect(try await house.ask(.delete, "/api/v1/tokens/\(token.id)").status == 204) }
        #expect(try await house.store.token(token.id)?.revokedAt == HouseClock.start)
        #expect(try await house.ask(.delete, "/api/v1/tokens/tok_none").status == 404)
    }

    @Test(arguments: [
        (#"{"uses":0}"#, "uses"), (#"{"uses":10001}"#, "uses"), (#"{"expires_in_seconds":5}"#, "expires_in_seconds"),
        (#"{"labels":{"-":"x"}}"#, "labels.-"),
    ])
    func `a token out of bounds is refused`(body: String, field: String) async throws {
        let house = try await House()
        let reply = try await house.ask(.post, "/api/v1/tokens", body)
        #expect(reply.status == 400)
        #expect(try reply.problem.field == field)
    }
}
