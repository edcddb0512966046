import ControllerCore
import Model
import StandIns
import Testing
import WireProtocol

@testable import ResolverIntegration

/// Against a name server that answers from what the providers' stand-ins have, and misbehaves by name.
@Suite struct `The resolver` {
    private func with(
        settings change: (inout ResolverSettings) -> Void = { _ in },
        _ body: (StandIns, ResolverPort) async throws -> Void
    ) async throws {
        try await StandIns.with { outside in
            try await outside.change(
                .dns,
                [
                    "records": [
                        ["a.example.org", "A", "192.0.2.1", 60], ["a.example.org", "A", "192.0.2.2", 60],
                        ["a.example.org", "AAAA", "2001:db8::1", 60],
                        ["www.example.org", "CNAME", "a.example.org", 60],
                        ["loop1.example.org", "CNAME", "loop2.example.org", 60],
                        ["loop2.example.org", "CNAME", "loop1.example.org", 60],
                        ["_innkeeper.example.org", "TXT", "innkeeper-verification=abc", 60],
                        ["long.example.org", "TXT", .string(String(repeating: "0123456789", count: 80)), 60],
                    ]
                ])
            let settings = try Self.settings([outside.port(.dns)], change, outside)
            try await body(outside, DNSLookup(settings, name: "resolver").port)
        }
    }

    private static func settings(
        _ ports: [Int], _ change: (inout ResolverSettings) -> Void, _ outside: StandIns
    ) throws -> ResolverSettings {
        var settings = ResolverSettings()
        settings.servers = try ports.map { try #require(DNSServer("127.0.0.1:\($0)")) }
        settings.authorityPort = UInt16(outside.port(.dns))
        settings.allowsPrivate = true
        change(&settings)
        return settings
    }

    @Test func `records of each type are told, and aliases followed`() async throws {
        try await with { (_, resolver) async throws in
            #expect(try await resolver.look("a.example.org", .a) == ["192.0.2.1", "192.0.2.2"])
            #expect(try await resolver.look("A.Example.org".lowercased(), .aaaa) == ["2001:db8::1"])
            #expect(try await resolver.look("www.example.org", .a) == ["192.0.2.1", "192.0.2.2"])
            #expect(try await resolver.look("www.example.org", .cname) == ["a.example.org"])
            #expect(try await resolver.look("_innkeeper.example.org", .txt) == ["innkeeper-verification=abc"])
            #expect(try await resolver.look("long.example.org", .txt).first?.utf8.count == 800)
            #expect(try await resolver.look("example.org", .ns) == ["ns1.standin.test"])
            #expect(try await resolver.look("none.example.org", .a) == [])
            #expect(try await resolver.look("a.example.org", .txt) == [])
            #expect(try await resolver.look("loop1.example.org", .a) == [])
        }
    }

    @Test func `what a provider was told is told to the world`() async throws {
        try await with { outside, resolver in
            let record: JSONValue = ["type": "A", "name": "shop.example.org", "content": "192.0.2.7"]
            try await outside.change(.cloudflare, ["record": record])
            #expect(try await resolver.look("shop.example.org", .a) == ["192.0.2.7"])
            try await outside.change(.ispconfig, ["zone": "customer.example"])
            let id = try #require(await outside.state(.ispconfig)["zones"]?.asArray?.first?["id"])
            try await outside.change(
                .ispconfig, ["row": ["zone": id, "type": "A", "name": "www", "data": "192.0.2.9"]])
            #expect(try await resolver.look("www.customer.example", .a) == ["192.0.2.9"])
        }
    }

    @Test func `an old "there is none" is asked again of the domain's own servers`() async throws {
        try await with { outside, resolver in
            try await outside.change(.dns, ["faults": ["a.example.org": "old_negative"]])
            #expect(try await resolver.look("a.example.org", .a) == ["192.0.2.1", "192.0.2.2"])
            let log = try await outside.log(.dns)
            #expect(log.contains("UDP A a.example.org") && log.contains("UDP NS example.org +rd"))
        }
        // Nor where a stranger's name servers would lead into our own network.
        for change in [{ $0.asksAuthorities = false }, { $0.allowsPrivate = false }]
            as [(inout ResolverSettings) -> Void]
        {
            try await with(settings: change) { outside, resolver in
                try await outside.change(.dns, ["faults": ["a.example.org": "old_negative"]])
                #expect(try await resolver.look("a.example.org", .a) == [])
                #expect(try await !outside.log(.dns).contains("UDP A a.example.org"))
            }
        }
    }

    @Test(arguments: ["cut", "forged", "lost_once"])
    func `trouble on the way is got over`(_ fault: String) async throws {
        try await with { outside, resolver in
            try await outside.change(.dns, ["faults": ["a.example.org": .string(fault)]])
            #expect(try await resolver.look("a.example.org", .a) == ["192.0.2.1", "192.0.2.2"])
        }
    }

    @Test(arguments: ["silent", "wrong_id", "other_question", "garbage", "loop", "short", "servfail", "tcp_hangs"])
    func `an answer that is none is none, within the time limit`(_ fault: String) async throws {
        try await with(settings: { $0.timeout = .seconds(2) }) { outside, resolver in
            try await outside.change(.dns, ["faults": ["a.example.org": .string(fault)]])
            let start = ContinuousClock.now
            let error = await portError { () throws(PortError) in _ = try await resolver.look("a.example.org", .a) }
            #expect(error?.kind == .silent && error?.message.contains("a.example.org") == true)
            #expect(ContinuousClock.now - start < .seconds(20))
            // Others are told what they ask.
            #expect(try await resolver.look("www.example.org", .cname) == ["a.example.org"])
        }
    }

    @Test func `a dead server leaves time for the next one`() async throws {
        try await StandIns.with { outside in
            try await outside.change(.dns, ["records": [["a.example.org", "A", "192.0.2.1", 60]]])
            // A port where nobody listens, and one that never answers over UDP.
            let settings = try Self.settings([1, outside.port(.control), outside.port(.dns)], { _ in }, outside)
            #expect(try await DNSLookup(settings, name: "resolver").look("a.example.org", .a) == ["192.0.2.1"])
        }
    }

    @Test func `few look at a time, and few wait`() async throws {
        try await with(settings: { $0.timeout = .seconds(5) }) { outside, resolver in
            try await outside.change(.dns, ["faults": ["a.example.org": "silent"]])
            let errors = await withTaskGroup { group in
                for _ in 1...300 {
                    group.addTask {
                        await portError { () throws(PortError) in _ = try await resolver.look("a.example.org", .a) }
                    }
                }
                return await group.reduce(into: [PortError.Kind: Int]()) { count, error in
                    if let error { count[error.kind, default: 0] += 1 }
                }
            }
            #expect(errors[.busy] == 300 - 256 && errors[.silent] == 256)
        }
    }

    @Test(arguments: [
        "", "example", "a..example.org", "a b.example.org", "-a.example.org",
        String(repeating: "a.", count: 200) + "org",
    ])
    func `what is no name is refused`(_ name: String) async throws {
        let resolver = DNSLookup(ResolverSettings(), name: "resolver")
        #expect(await portError { () throws(PortError) in _ = try await resolver.look(name, .a) }?.kind == .refused)
    }

    @Test func `servers are read as they are written`() throws {
        for text in ["192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]:5353"] {
            #expect(DNSServer(text)?.description == text)
        }
        for text in ["ns1.example.org", "192.0.2.53:0", "[::1]", "192.0.2.53:99999", ""] {
            #expect(DNSServer(text) == nil)
        }
    }

    @Test func `the test tells what it saw`() async throws {
        try await StandIns.with { outside in
            let server = "127.0.0.1:\(outside.port(.dns))"
            let good = try Resolver.kind.connected(["servers": [.string(server)], "timeout_seconds": 5])
            let checks = await good.test()
            #expect(checks.map(\.isPassed) == [true], "\(checks)")
            let bad = try Resolver.kind.connected(["servers": ["127.0.0.1:1"], "timeout_seconds": 1])
            #expect(await bad.test().map(\.isPassed) == [false])
        }
    }
}
