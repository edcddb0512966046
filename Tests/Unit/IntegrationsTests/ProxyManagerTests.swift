import ControllerCore
import Model
import Saga
import StandIns
import Testing
import WireProtocol

@testable import NginxProxyManagerIntegration

/// Routes, against a stand-in that checks what it is asked.
@Suite struct `Nginx Proxy Manager's routes` {
    private let route = ProxyRoute(
        domains: ["shop.example.org"], target: ProxyTarget(host: "192.0.2.7", port: 8080))

    static func with(
        _ clock: QuickClock = QuickClock(), _ change: JSONObject = [:],
        _ body: (StandIns, ProxyProvider) async throws -> Void
    ) async throws {
        try await StandIns.with { outside in
            let settings = Self.settings(outside).merged(with: change)
            try await body(
                outside, try #require(try NginxProxyManager.kind.connected(settings, clock: clock).proxy))
            #expect(try await outside.violations(.npm) == [])
            #expect(try await outside.log(.npm).allSatisfy { !$0.contains("password") })
        }
    }

    static func settings(_ outside: StandIns) -> JSONObject {
        [
            "url": .string(outside.url(.npm)), "email": "innkeeper@example.org", "password": "npm-password",
            "addresses": ["192.0.2.1"],
        ]
    }

    static func hosts(_ outside: StandIns) async throws -> [JSONValue] {
        try await outside.state(.npm)["hosts"]?.asArray ?? []
    }

    @Test func `a route is made with our mark, found again, changed and removed`() async throws {
        try await Self.with { outside, proxy in
            #expect(try await proxy.routes.find(route.name, "svc_1") == nil)
            try await proxy.routes.put(route, "svc_1")
            #expect(try await proxy.routes.find(route.name, "svc_1") == MarkedObject(route, mark: "svc_1"))
            let host = try #require(await Self.hosts(outside).first)
            #expect(host["caching_enabled"] == true && host["allow_websocket_upgrade"] == true)
            try await proxy.routes.put(route, "svc_1")
            #expect(try await outside.log(.npm).count { $0.hasPrefix("PUT") } == 0)
            var moved = route
            (moved.target.host, moved.caching) = ("2001:db8::7", false)
            try await proxy.routes.put(moved, "svc_1")
            #expect(try await proxy.routes.find(route.name, "svc_1")?.thing == moved)
            try await proxy.routes.remove(route.name, "svc_1")
            try await proxy.routes.remove(route.name, "svc_1")
            #expect(try await Self.hosts(outside).isEmpty)
        }
    }

    @Test func `created does not mean that it works`() async throws {
        try await Self.with { outside, proxy in
            try await outside.change(.npm, ["nginx_error": "[emerg] host not found in upstream"])
            let error = await portError { () throws(PortError) in try await proxy.routes.put(route, "svc_1") }
            #expect(error?.kind == .refused && error?.message.contains("host not found in upstream") == true)
            #expect(try await proxy.routes.find(route.name, "svc_1")?.thing.isServed == false)
            try await outside.change(.npm, ["nginx_error": nil])
            try await proxy.routes.put(route, "svc_1")
            #expect(try await proxy.routes.find(route.name, "svc_1")?.thing == route)
            #expect(try await Self.hosts(outside).count == 1)
        }
    }

    @Test func `a failure after the row was inserted is taken up again`() async throws {
        try await Self.with { outside, proxy in
            // Somebody else's configuration is broken: nothing can be made good now, and nothing is made twice.
            try await outside.change(.npm, ["broken": true])
            let error = await portError { () throws(PortError) in try await proxy.routes.put(route, "svc_1") }
            #expect(error?.kind == .silent)
            #expect(try await Self.hosts(outside).count == 1)
            try await outside.change(.npm, ["broken": false])
            try await proxy.routes.put(route, "svc_1")
            #expect(try await proxy.routes.find(route.name, "svc_1")?.thing == route)
            #expect(try await Self.hosts(outside).count == 1)
        }
    }

    @Test(arguments: LostAnswer.allCases)
    func `an answer that is lost leaves one route`(_ fault: LostAnswer) async throws {
        try await Self.with { outside, proxy in
            try await outside.fault(.npm, ["on": "POST /api/nginx", "kind": .string(fault.rawValue)])
            try await proxy.routes.put(route, "svc_1")
            #expect(try await proxy.routes.find(route.name, "svc_1")?.thing == route)
            #expect(try await Self.hosts(outside).count == 1)
            var moved = route
            moved.target.port = 8081
            try await outside.fault(.npm, ["on": "PUT", "kind": .string(fault.rawValue)])
            try await proxy.routes.put(moved, "svc_1")
            #expect(try await proxy.routes.find(route.name, "svc_1")?.thing == moved)
        }
    }

    @Test(arguments: ["expire_tokens", "forget_tokens"])
    func `a token that is not taken any more is replaced, whatever the status says`(_ end: String) async throws {
        try await Self.with { outside, proxy in
            try await proxy.routes.put(route, "svc_1")
            for change in ["expire_tokens", "forget_tokens", end] {
                try await outside.change(.npm, [change: true])
                #expect(try await proxy.routes.find(route.name, "svc_1")?.thing == route)
            }
            // Also where the first call with it changes something.
            try await outside.change(.npm, [end: true])
            var moved = route
            moved.target.port = 9000
            try await proxy.routes.put(moved, "svc_1")
            #expect(try await proxy.routes.find(route.name, "svc_1")?.thing == moved)
        }
    }

    @Test func `all who find a token expired share one log-in`() async throws {
        try await Self.with { outside, proxy in
            try await proxy.routes.put(route, "svc_1")
            try await outside.change(.npm, ["expire_tokens": true])
            try await withThrowingTaskGroup { group in
                for _ in 1...12 { group.addTask { _ = try await proxy.routes.find("shop.example.org", "svc_1") } }
                try await group.waitForAll()
            }
            #expect(try await outside.log(.npm).count { $0 == "POST /api/tokens" } <= 3)
        }
    }

    @Test func `a user who may not log in says why`() async throws {
        try await Self.with(QuickClock(), ["password": "wrong-1729"]) { outside, proxy in
            let error = await portError { () throws(PortError) in _ = try await proxy.routes.find(route.name, "svc_1") }
            #expect(error?.kind == .refused && error?.message.contains("Invalid email or password") == true)
            #expect(error?.message.contains("1729") == false)
        }
        try await Self.with { outside, proxy in
            try await outside.change(.npm, ["second_factor": true])
            let error = await portError { () throws(PortError) in _ = try await proxy.routes.find(route.name, "svc_1") }
            #expect(error?.message.contains("second factor") == true)
        }
    }

    @Test(arguments: [true, false])
    func `a name that somebody else has is a conflict, also where we may not see it`(_ isSeen: Bool) async throws {
        try await Self.with { outside, proxy in
            let host: JSONValue = [
                "domain_names": ["Shop.example.org"], "forward_scheme": "http", "forward_host": "198.51.100.1",
                "forward_port": 80,
            ]
            try await outside.change(.npm, ["host": host, "sees_all": .bool(isSeen)])
            #expect(
                await portError { () throws(PortError) in try await proxy.routes.put(route, "svc_1") }?.kind
                    == .conflict)
            try await proxy.routes.remove(route.name, "svc_1")
            let there = try await Self.hosts(outside)
            #expect(there.count == 1 && there.first?["forward_host"] == "198.51.100.1")
        }
    }

    @Test func `what nginx would read as its own words is refused without a call`() async throws {
        try await Self.with { (outside, proxy) async throws in
            for host in ["a.example.org;", "x\n", "$host", "a b", "", "a.example.org/x", "\"a\""] {
                var bad = route
                bad.target.host = host
                let error = await portError { () throws(PortError) in try await proxy.routes.put(bad, "svc_1") }
                #expect(error?.kind == .refused, "\(host)")
            }
            for domains in [[], ["*.example.org"], ["a.example.org", "a.example.org"], ["A.example.org"], ["a;b.org"]] {
                var bad = route
                bad.domains = domains
                #expect(
                    await portError { () throws(PortError) in try await proxy.routes.put(bad, "svc_1") }?.kind
                        == .refused)
            }
            #expect(try await outside.log(.npm).isEmpty)
        }
    }

    @Test func `a step that is repeated adopts what bears our mark and leaves what does not`() async throws {
        try await Self.with { outside, proxy in
            try await proxy.routes.put(route, "svc_1")
            #expect(try await Work("svc_1").ensure(route, at: proxy.routes) == route)
            let error = await #expect(throws: StepFailure.self) {
                _ = try await Work("svc_2").ensure(route, at: proxy.routes)
            }
            #expect(error?.code == "conflict")
            try await Work("svc_2").ensureGone(route.name, at: proxy.routes)
            #expect(try await Self.hosts(outside).count == 1)
            try await Work("svc_1").ensureGone(route.name, at: proxy.routes)
            #expect(try await Self.hosts(outside).isEmpty)
        }
    }

    @Test func `the test tells what it saw`() async throws {
        try await StandIns.with { outside in
            let good = try NginxProxyManager.kind.connected(Self.settings(outside))
            #expect(await good.test().map(\.isPassed) == [true, true, true])
            try await outside.change(.npm, ["nginx_error": "no"])
            let proxy = try #require(good.proxy)
            _ = await portError { () throws(PortError) in try await proxy.routes.put(route, "svc_1") }
            let checks = await good.test()
            #expect(checks.map(\.isPassed) == [true, false, true])
            #expect(checks[1].message.contains("shop.example.org"))
        }
    }
}
