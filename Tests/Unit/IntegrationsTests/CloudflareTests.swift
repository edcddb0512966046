import ControllerCore
import Model
import Saga
import StandIns
import Testing
import WireProtocol

@testable import CloudflareIntegration

/// Against a stand-in that checks what it is asked.
@Suite struct `Cloudflare's DNS` {
    private let site = DNSRecord(type: .a, host: "shop.example.org", value: "192.0.2.7")

    private func with(
        _ clock: QuickClock = QuickClock(), token: String = "cf-token", zone: String = "example.org",
        _ body: (StandIns, ObjectProvider<DNSRecord>) async throws -> Void
    ) async throws {
        try await StandIns.with { outside in
            let settings: JSONObject = [
                "token": .string(token), "zone": .string(zone), "url": .string("\(outside.url(.cloudflare))/client/v4"),
            ]
            try await body(outside, try #require(try Cloudflare.kind.connected(settings, clock: clock).dns).records)
            #expect(try await outside.violations(.cloudflare) == [])
            #expect(try await outside.log(.cloudflare).allSatisfy { !$0.contains("cf-token") })
        }
    }

    private func records(_ outside: StandIns) async throws -> [JSONValue] {
        try await outside.state(.cloudflare)["records"]?.asArray ?? []
    }

    private func foreign(_ outside: StandIns, _ type: String, _ name: String, _ content: String) async throws {
        try await outside.change(
            .cloudflare, ["record": ["type": .string(type), "name": .string(name), "content": .string(content)]])
    }

    @Test(arguments: [
        DNSRecord(type: .a, host: "shop.example.org", value: "192.0.2.7"),
        DNSRecord(type: .aaaa, host: "shop.example.org", value: "2001:db8::7"),
        DNSRecord(type: .cname, host: "www.example.org", value: "shop.example.org"),
        DNSRecord(type: .txt, host: "_innkeeper.example.org", value: #"with "quotes" and \ in it"#),
        DNSRecord(type: .txt, host: "long.example.org", value: String(repeating: "long ", count: 120) + "end"),
    ])
    func `a record is made with our mark, found again, changed and removed`(_ record: DNSRecord) async throws {
        try await with { outside, dns in
            #expect(try await dns.find(record.name, "svc_1") == nil)
            try await dns.put(record, "svc_1")
            #expect(try await dns.find(record.name, "svc_1") == MarkedObject(record, mark: "svc_1"))
            #expect(try await records(outside).first?["comment"] == "innkeeper: svc_1")
            // The same again is no call that changes anything.
            try await dns.put(record, "svc_1")
            #expect(try await outside.log(.cloudflare).count { !$0.hasPrefix("GET") } == 1)
            var slower = record
            slower.ttl = 3600
            try await dns.put(slower, "svc_1")
            #expect(try await dns.find(record.name, "svc_1")?.thing.ttl == 3600)
            #expect(try await records(outside).count == 1)
            try await dns.remove(record.name, "svc_1")
            try await dns.remove(record.name, "svc_1")
            #expect(try await records(outside).isEmpty)
        }
    }

    @Test func `what is somebody else's is neither changed nor removed`() async throws {
        try await with { outside, dns in
            try await foreign(outside, "A", "shop.example.org", "198.51.100.1")
            #expect(await portError { () throws(PortError) in try await dns.put(site, "svc_1") }?.kind == .conflict)
            #expect(try await dns.find(site.name, "svc_1")?.mark == nil)
            try await dns.remove(site.name, "svc_1")
            // Also what is the same but for the mark, and what bears another service's.
            try await foreign(outside, "A", "same.example.org", "192.0.2.7")
            let same = DNSRecord(type: .a, host: "same.example.org", value: "192.0.2.7")
            #expect(await portError { () throws(PortError) in try await dns.put(same, "svc_1") }?.kind == .conflict)
            let other = DNSRecord(type: .a, host: "other.example.org", value: "192.0.2.8")
            try await dns.put(other, "svc_2")
            #expect(await portError { () throws(PortError) in try await dns.put(other, "svc_1") }?.kind == .conflict)
            try await dns.remove(other.name, "svc_1")
            #expect(try await records(outside).count == 3)
        }
    }

    @Test func `an alias and an address are never there together`() async throws {
        try await with { outside, dns in
            try await foreign(outside, "CNAME", "shop.example.org", "elsewhere.example.net")
            #expect(await portError { () throws(PortError) in try await dns.put(site, "svc_1") }?.kind == .conflict)
            // Of ours the one makes room for the other.
            let alias = DNSRecord(type: .cname, host: "www.example.org", value: "shop.example.org")
            try await dns.put(alias, "svc_1")
            let address = DNSRecord(type: .a, host: "www.example.org", value: "192.0.2.7")
            try await dns.put(address, "svc_1")
            #expect(try await dns.find(alias.name, "svc_1") == nil)
            #expect(try await dns.find(address.name, "svc_1")?.thing == address)
        }
    }

    @Test func `texts of others stand beside ours`() async throws {
        try await with { outside, dns in
            try await foreign(outside, "TXT", "example.org", "\"v=spf1 -all\"")
            let proof = DNSRecord(type: .txt, host: "example.org", value: "innkeeper-verification=abc")
            #expect(try await dns.find(proof.name, "svc_1") == nil)
            try await dns.put(proof, "svc_1")
            #expect(try await records(outside).count == 2)
            try await dns.remove(proof.name, "svc_1")
            #expect(try await records(outside).map { $0["content"] } == ["\"v=spf1 -all\""])
        }
    }

    @Test(arguments: LostAnswer.allCases)
    func `an answer that is lost leaves one record`(_ fault: LostAnswer) async throws {
        try await with { outside, dns in
            try await outside.fault(.cloudflare, ["on": "POST", "kind": .string(fault.rawValue)])
            try await dns.put(site, "svc_1")
            #expect(try await dns.find(site.name, "svc_1")?.thing == site)
            try await outside.fault(.cloudflare, ["on": "DELETE", "kind": .string(fault.rawValue)])
            // Whether it is gone is found out by whoever asks again.
            do throws(PortError) { try await dns.remove(site.name, "svc_1") } catch { #expect(error.kind == .silent) }
            try await dns.remove(site.name, "svc_1")
            #expect(try await records(outside).isEmpty)
        }
    }

    @Test func `a change that has not arrived is not repeated by itself`() async throws {
        try await with { outside, dns in
            try await outside.fault(.cloudflare, ["on": "POST", "kind": "html", "times": 9])
            #expect(await portError { () throws(PortError) in try await dns.put(site, "svc_1") }?.kind == .silent)
            #expect(try await outside.log(.cloudflare).count { $0.hasPrefix("POST") } == 1)
        }
    }

    @Test func `reading goes on through trouble`() async throws {
        let clock = QuickClock()
        try await with(clock) { outside, dns in
            for fault: JSONValue in [
                ["on": "GET", "kind": "html"], ["on": "GET", "kind": "cut"], ["on": "GET", "kind": "unreachable"],
                ["on": "GET", "kind": "status", "status": 408],
            ] {
                try await outside.fault(.cloudflare, fault)
                #expect(try await dns.find(site.name, "svc_1") == nil)
            }
            // libcurl itself says it again on a new connection where an old one was closed.
            let before = clock.pauses.count
            #expect(before >= 3)
            try await outside.fault(.cloudflare, ["on": "GET", "kind": "html", "times": 99])
            #expect(
                await portError { () throws(PortError) in _ = try await dns.find(site.name, "svc_1") }?.kind == .silent)
            #expect(clock.pauses.count == before + 3)
        }
    }

    @Test func `whoever is told to wait waits as long, and all others with it`() async throws {
        let clock = QuickClock()
        try await with(clock) { outside, dns in
            _ = try await dns.find(site.name, "svc_1")
            try await outside.fault(.cloudflare, ["on": "POST", "kind": "throttle", "seconds": 7])
            try await dns.put(site, "svc_1")
            #expect(clock.pauses.reduce(.zero, +) >= .seconds(7))
            #expect(try await records(outside).count == 1)
            // Longer than anybody waits: nobody calls until then.
            try await outside.fault(.cloudflare, ["on": "GET", "kind": "throttle", "seconds": 300])
            let calls = try await outside.log(.cloudflare).count
            for _ in 1...3 {
                let error = await portError { () throws(PortError) in _ = try await dns.find(site.name, "svc_1") }
                #expect(error?.kind == .busy)
            }
            #expect(try await outside.log(.cloudflare).count == calls + 1)
            clock.advance(.seconds(301))
            #expect(try await dns.find(site.name, "svc_1")?.thing == site)
        }
    }

    @Test func `the account's limit is never reached`() async throws {
        let clock = QuickClock()
        try await with(clock) { outside, dns in
            try await outside.change(.cloudflare, ["left": 1150])
            var calls = 0
            while calls < 1120 {
                do throws(PortError) { _ = try await dns.find(site.name, "svc_1") } catch {
                    #expect(error.kind == .busy)
                    break
                }
                calls += 1
            }
            // One call is for the zone.
            #expect(calls == 1099)
            #expect(try await outside.state(.cloudflare)["left"] == 50)
        }
    }

    @Test func `a record that somebody has put behind the edge, or made twice, is put right`() async throws {
        try await with { outside, dns in
            for value in ["192.0.2.7", "192.0.2.9"] {
                let record: JSONValue = [
                    "type": "A", "name": "shop.example.org", "content": .string(value), "comment": "innkeeper: svc_1",
                    "proxied": true, "ttl": 1,
                ]
                try await outside.change(.cloudflare, ["record": record])
            }
            #expect(try await dns.find(site.name, "svc_1")?.thing != site)
            try await dns.put(site, "svc_1")
            #expect(try await records(outside).count == 1)
            #expect(try await records(outside).first?["proxied"] == false)
            #expect(try await dns.find(site.name, "svc_1")?.thing == site)
        }
    }

    @Test func `what cannot be is refused without a call`() async throws {
        try await with { (outside, dns) async throws in
            for (type, host, value, ttl) in [
                (DNSRecord.Kind.a, "shop.example.net", "192.0.2.7", 60), (.a, "evilexample.org", "192.0.2.7", 60),
                (.a, "*.example.org", "192.0.2.7", 60), (.a, "shop.example.org", "::1", 60),
                (.cname, "shop.example.org", "not a name", 60), (.txt, "shop.example.org", "a\nb", 60),
                (.a, "shop.example.org&type=TXT", "192.0.2.7", 60), (.a, "shop.example.org", "192.0.2.7", 1),
            ] as [(DNSRecord.Kind, String, String, Int64)] {
                let record = DNSRecord(type: type, host: host, value: value, ttl: ttl)
                let error = await portError { () throws(PortError) in try await dns.put(record, "svc_1") }
                #expect(error?.kind == .refused, "\(record)")
            }
            #expect(try await outside.log(.cloudflare).isEmpty)
        }
    }

    @Test func `a token or a zone that does not do says so and tells no secret`() async throws {
        try await with(token: "wrong-token-1729") { outside, dns in
            let error = await portError { () throws(PortError) in _ = try await dns.find(site.name, "svc_1") }
            #expect(error?.kind == .refused && error?.message.contains("Authentication error") == true)
            #expect(error?.message.contains("1729") == false)
        }
        try await with(zone: "example.net") { outside, dns in
            let record = DNSRecord(type: .a, host: "a.example.net", value: "192.0.2.1")
            let missing = await portError { () throws(PortError) in try await dns.put(record, "svc_1") }
            #expect(missing?.message.contains("Zone/Zone/Read") == true)
            try await outside.change(.cloudflare, ["zone": "example.net", "status": "pending"])
            let pending = await portError { () throws(PortError) in try await dns.put(record, "svc_1") }
            #expect(pending?.message.contains("pending") == true)
        }
    }

    @Test func `the test tells what it saw`() async throws {
        try await StandIns.with { outside in
            let url = JSONValue.string("\(outside.url(.cloudflare))/client/v4")
            let good = try Cloudflare.kind.connected(["token": "cf-token", "zone": "example.org", "url": url])
            let checks = await good.test()
            #expect(checks.map(\.name) == ["zone", "records"] && checks.allSatisfy(\.isPassed), "\(checks)")
            let bad = try Cloudflare.kind.connected(["token": "none", "zone": "example.org", "url": url])
            #expect(await bad.test().map(\.isPassed) == [false])
        }
    }

    /// The controller dies after the effect and before its journal: the next run finds what it left.
    @Test func `a step that is repeated adopts what bears our mark and leaves what does not`() async throws {
        try await with { outside, dns in
            try await dns.put(site, "svc_1")
            #expect(try await Work("svc_1").ensure(site, at: dns) == site)
            #expect(try await outside.log(.cloudflare).count { $0.hasPrefix("POST") } == 1)
            let error = await #expect(throws: StepFailure.self) { _ = try await Work("svc_2").ensure(site, at: dns) }
            #expect(error?.code == "conflict" && error?.kind == .final)
            try await Work("svc_2").ensureGone(site.name, at: dns)
            #expect(try await dns.find(site.name, "svc_1")?.thing == site)
            try await Work("svc_1").ensureGone(site.name, at: dns)
            #expect(try await records(outside).isEmpty)
        }
    }
}
