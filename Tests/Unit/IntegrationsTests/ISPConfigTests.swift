import ControllerCore
import Model
import Saga
import StandIns
import Synchronization
import Testing
import WireProtocol

@testable import ISPConfigIntegration

/// Against a stand-in that checks what it is asked.
@Suite struct `ISPConfig's zones` {
    private let zone = DNSZone(domain: "customer.example")
    private let record = DNSRecord(type: .a, host: "www.customer.example", value: "192.0.2.7", ttl: 300)

    private func with(
        _ clock: QuickClock = QuickClock(), _ change: JSONObject = [:],
        _ body: (StandIns, ObjectProvider<DNSZone>, ObjectProvider<DNSRecord>) async throws -> Void
    ) async throws {
        try await StandIns.with { outside in
            let settings: JSONObject = [
                "url": .string("\(outside.url(.ispconfig))/remote/json.php"), "username": "innkeeper",
                "password": "isp-password", "server_id": 1, "client_id": 3,
                "name_servers": ["ns1.example.net", "ns2.example.net"], "mailbox": "hostmaster.example.net",
            ]
            let made = try ISPConfig.kind.connected(settings.merged(with: change), clock: clock)
            try await body(outside, try #require(made.zones), try #require(made.dns).records)
            #expect(try await outside.violations(.ispconfig) == [])
            #expect(try await outside.log(.ispconfig).allSatisfy { !$0.contains("password") })
        }
    }

    private func rows(_ outside: StandIns) async throws -> [JSONValue] {
        try await outside.state(.ispconfig)["rows"]?.asArray ?? []
    }

    @Test func `a zone is made with its name servers, and removed with all that is in it`() async throws {
        try await with { outside, zones, records in
            #expect(try await zones.find(zone.name, "svc_1") == nil)
            try await zones.put(zone, "svc_1")
            #expect(try await zones.find(zone.name, "svc_1") == MarkedObject(zone, mark: nil))
            #expect(try await rows(outside).map { $0["data"] } == ["ns1.example.net.", "ns2.example.net."])
            try await records.put(record, "svc_1")
            try await zones.put(zone, "svc_1")
            #expect(try await rows(outside).count == 3)
            try await zones.remove(zone.name, "svc_1")
            try await zones.remove(zone.name, "svc_1")
            #expect(try await rows(outside).isEmpty)
            #expect(try await outside.state(.ispconfig)["zones"] == [])
        }
    }

    @Test(arguments: [
        DNSRecord(type: .a, host: "customer.example", value: "192.0.2.7"),
        DNSRecord(type: .aaaa, host: "www.customer.example", value: "2001:db8::7"),
        DNSRecord(type: .cname, host: "shop.customer.example", value: "customer.example"),
        DNSRecord(type: .txt, host: "_innkeeper.customer.example", value: "innkeeper-verification=abc"),
    ])
    func `a record is made once, changed and removed`(_ record: DNSRecord) async throws {
        try await with { outside, zones, records in
            try await zones.put(zone, "svc_1")
            try await records.put(record, "svc_1")
            try await records.put(record, "svc_1")
            #expect(try await records.find(record.name, "svc_1")?.thing == record)
            var slower = record
            slower.ttl = 3600
            try await records.put(slower, "svc_1")
            #expect(try await records.find(record.name, "svc_1")?.thing == slower)
            #expect(try await rows(outside).count == 3)
            try await records.remove(record.name, "svc_1")
            #expect(try await records.find(record.name, "svc_1") == nil)
        }
    }

    @Test func `a longer name is not taken for the name`() async throws {
        try await with { outside, zones, records in
            try await outside.change(.ispconfig, ["zone": "customer.example.com"])
            #expect(try await zones.find("customer.example", "svc_1") == nil)
            let deep = DNSRecord(type: .a, host: "a.customer.example", value: "192.0.2.1")
            #expect(await portError { () throws(PortError) in try await records.put(deep, "svc_1") }?.kind == .refused)
        }
    }

    @Test(arguments: [LostAnswer.lost, .cut, .failed_after])
    func `an answer that is lost leaves one zone and one record`(_ fault: LostAnswer) async throws {
        try await with { outside, zones, records in
            try await outside.fault(
                .ispconfig, ["on": "dns_zone_add", "kind": .string(fault.rawValue)],
                ["on": "dns_ns_add", "kind": .string(fault.rawValue)],
                ["on": "dns_a_add", "kind": .string(fault.rawValue)])
            try await zones.put(zone, "svc_1")
            try await records.put(record, "svc_1")
            #expect(try await rows(outside).count == 3)
            #expect(try await outside.state(.ispconfig)["zones"]?.asArray?.count == 1)
        }
    }

    @Test func `records that were made twice are one again`() async throws {
        try await with { outside, zones, records in
            try await zones.put(zone, "svc_1")
            let id = try #require(await outside.state(.ispconfig)["zones"]?.asArray?.first?["id"])
            for value in ["192.0.2.7", "192.0.2.9"] {
                try await outside.change(
                    .ispconfig, ["row": ["zone": id, "type": "A", "name": "www", "data": .string(value), "ttl": "300"]])
            }
            #expect(try await records.find(record.name, "svc_1")?.thing != record)
            try await records.put(record, "svc_1")
            #expect(try await records.find(record.name, "svc_1")?.thing == record)
            #expect(try await rows(outside).count == 3)
        }
    }

    @Test func `a session that has ended is begun anew`() async throws {
        try await with { outside, zones, _ in
            try await zones.put(zone, "svc_1")
            try await outside.change(.ispconfig, ["expire_sessions": true])
            #expect(try await zones.find(zone.name, "svc_1")?.thing == zone)
            #expect(try await outside.log(.ispconfig).count { $0.hasSuffix("?login") } == 2)
        }
    }

    @Test func `a change is done when it has reached the name server`() async throws {
        try await with { outside, zones, _ in
            try await outside.change(.ispconfig, ["lag": 3600])
            let error = await portError { () throws(PortError) in try await zones.put(zone, "svc_1") }
            #expect(error?.kind == .busy && error?.message.contains("not reached the name server") == true)
            try await outside.change(.ispconfig, ["lag": 0])
            try await zones.put(zone, "svc_1")
            // A panel where the queue may not be looked at is given no time.
            try await outside.change(.ispconfig, ["lag": 3600, "denied": ["monitor_jobqueue_count"]])
            try await zones.put(zone, "svc_1")
        }
    }

    @Test func `what the panel says is told, and never its SQL`() async throws {
        try await with { outside, zones, _ in
            for (message, kind, text) in [
                ("You do not have the permissions to access this function.", PortError.Kind.refused, "function groups"),
                ("origin_error_regex<br>", .refused, "origin_error_regex"),
                (
                    "INSERT INTO dns_soa (origin, secret) VALUES ('x', 'planted-1729') Duplicate entry", .refused,
                    "not repeated"
                ),
                ("The login is not allowed from 192.0.2.1", .refused, "this address"),
            ] {
                try await outside.fault(
                    .ispconfig,
                    [
                        "on": "dns_zone_add", "kind": "status", "status": 200,
                        "body": ["code": "remote_fault", "message": .string(message), "response": false],
                    ])
                let error = await portError { () throws(PortError) in try await zones.put(zone, "svc_1") }
                #expect(
                    error?.kind == kind && error?.message.contains(text) == true, "\(message): \(error?.message ?? "")")
                #expect(error?.message.contains("1729") == false)
            }
        }
    }

    @Test func `maintenance, empty answers and plain text are known for what they are`() async throws {
        let clock = QuickClock()
        try await with(clock) { outside, zones, _ in
            let maintenance: JSONValue = [
                "code": "remote_fault", "response": false,
                "message": "This ISPConfig installation is currently under maintenance. We should be back shortly.",
            ]
            try await outside.fault(
                .ispconfig, ["on": "dns_zone_get", "kind": "status", "status": 200, "body": maintenance])
            #expect(try await zones.find(zone.name, "svc_1") == nil)
            #expect(clock.pauses == [.seconds(30)])
            try await outside.fault(
                .ispconfig, ["on": "dns_zone_get", "kind": "status", "status": 200, "body": "", "times": 9])
            #expect(
                await portError { () throws(PortError) in _ = try await zones.find(zone.name, "svc_1") }?.kind
                    == .silent)
            try await outside.fault(
                .ispconfig,
                [
                    "on": "dns_zone_get", "kind": "status", "status": 200,
                    "body": "Remote API is disabled in security settings.",
                ])
            let error = await portError { () throws(PortError) in _ = try await zones.find(zone.name, "svc_1") }
            #expect(error?.kind == .refused && error?.message.contains("switched off") == true)
        }
    }

    @Test func `without marks the journal decides whose a zone is`() async throws {
        try await with { outside, zones, _ in
            let work = try Work("svc_1")
            let wasFree = try await work.isFree(zone.name, at: zones)
            #expect(wasFree)
            // The controller dies after the effect: the next run has the journal of the step before.
            try await zones.put(zone, "svc_1")
            #expect(try await work.ensure(zone, at: zones, wasFree: wasFree) == zone)
            // Whoever has seen it there before does not touch it.
            let other = try Work("svc_2")
            let wasFreeToo = try await other.isFree(zone.name, at: zones)
            #expect(!wasFreeToo)
            let error = await #expect(throws: StepFailure.self) {
                _ = try await other.ensure(zone, at: zones, wasFree: wasFreeToo)
            }
            #expect(error?.code == "conflict")
            try await other.ensureGone(zone.name, at: zones, wasFree: wasFreeToo)
            #expect(try await zones.find(zone.name, "svc_1") != nil)
            try await work.ensureGone(zone.name, at: zones, wasFree: wasFree)
            #expect(try await zones.find(zone.name, "svc_1") == nil)
        }
    }

    @Test func `the test tells what it saw`() async throws {
        try await StandIns.with { outside in
            var settings: JSONObject = [
                "url": .string("\(outside.url(.ispconfig))/remote/json.php"), "username": "innkeeper",
                "password": "isp-password", "server_id": 1, "client_id": 3, "name_servers": ["ns1.example.net"],
                "mailbox": "hostmaster.example.net",
            ]
            #expect(try await ISPConfig.kind.connected(settings).test().map(\.isPassed) == [true, true])
            settings["password"] = "wrong-1729"
            let checks = try await ISPConfig.kind.connected(settings).test()
            #expect(checks.map(\.isPassed) == [false] && !checks[0].message.contains("1729"))
        }
    }
}
