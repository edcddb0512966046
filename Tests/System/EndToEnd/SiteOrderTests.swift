import APIModels
import Model
import SiteSupport
import StandIns
import TestSupport
import Testing
import WireProtocol

/// The order of a site as the world sees it, by the API that was there before: real daemons, a container with a network of its own, a
/// real nginx before it.
@Suite(.timeLimit(.minutes(10))) struct SiteOrderTests {
    private static let order: JSONObject = ["service_id": "12345", "email": "jane@example.org", "plan": "basic"]
    private static let site: JSONObject = ["service_id": "12345"]

    @Test func `an order becomes a page under its name, is stopped, gets a domain, and goes without a trace`()
        async throws
    {
        try await SiteTown.with { town in
            let host = try await Self.provision(town)
            try await Self.power(town, host)
            try await Self.domain(town)
            try await Self.support(town, host)
            try await Self.remove(town, host)
        }
    }

    private static func provision(_ town: SiteTown) async throws -> String {
        // Twice at once, on both listeners: it is one site.
        async let first = town.ask("POST", "/create-site", order, own: true)
        async let second = town.ask("POST", "/create-site", order, own: true)
        let (made, again) = try await (first, second)
        try #require(made.status == 200, "\(made.body.text)")
        #expect(again.status == 200 && again.body["url"] == made.body["url"])
        #expect(made.body["url"] == "https://jane.sites.example.org" && made.body["status"] == "running")
        #expect(made.body["public_ip"] == .string(town.address) && made.body["node"] != .null)
        #expect(try await town.containers().count == 1)
        let host = "jane.sites.example.org"
        #expect(try await town.visit(host) == #"{"home":"https://\#(host)"} 200"#)
        let status = try await town.ask("GET", "/status?service_id=12345")
        #expect(status.status == 200 && status.body["vmid"] == made.body["vmid"])
        #expect(try await town.ask("POST", "/create-site", order, own: true).body["url"] == made.body["url"])
        let other = try await town.ask("POST", "/create-site", order.merged(["email": "john@example.net"]))
        #expect(other.status == 409, "\(other.body.text)")
        let foreign = try await town.ask(
            "POST", "/create-site", order.merged(["service_id": "2", "public_ip": "198.51.100.1"]))
        #expect(foreign.status == 400 && foreign.body["field"] == "public_ip")
        return host
    }

    private static func power(_ town: SiteTown, _ host: String) async throws {
        let number = try #require(try await town.containers().first)
        let stopped = try await town.ask("POST", "/suspend", site)
        #expect(stopped.status == 200 && stopped.body["status"] == "suspended", "\(stopped.body.text)")
        #expect(try await town.pct("status", number).contains("stopped"))
        // For some seconds the proxy remembers the page.
        let isGone = try await eventually(within: .seconds(30)) { try await !town.visit(host).hasSuffix(" 200") }
        #expect(isGone)
        let started = try await town.ask("POST", "/unsuspend", site)
        #expect(started.status == 200 && started.body["status"] == "running", "\(started.body.text)")
        #expect(try await town.pct("status", number).contains("running"))
    }

    private static func domain(_ town: SiteTown) async throws {
        let wanted = site.merged(["domain": "shop.example.net"])
        let taken = try await town.ask("POST", "/customdomain/add", wanted)
        #expect(taken.status == 202 && taken.body["domain"]?["state"] == "awaiting_proof", "\(taken.body.text)")
        let record = try #require(taken.body["domain"]?["record"])
        let (address, ttl) = (JSONValue.string(town.address), JSONValue.integer(60))
        try await town.outside.change(
            .dns,
            [
                "records": [
                    [record["name"] ?? .null, "TXT", record["value"] ?? .null, ttl],
                    ["shop.example.net", "A", address, ttl], ["www.shop.example.net", "A", address, ttl],
                ]
            ])
        // Asked again it goes on: for some seconds the proxy remembers what the site said of itself before.
        let isActive = try await eventually(within: .seconds(60)) {
            let answer = try await town.ask("POST", "/customdomain/add", wanted)
            return answer.status == 200 && answer.body["domain"]?["state"] == "active"
        }
        #expect(isActive)
        #expect(try await town.visit("shop.example.net") == #"{"home":"https://shop.example.net"} 200"#)
    }

    private static func support(_ town: SiteTown, _ host: String) async throws {
        let diagnosis = try await town.ask("GET", "/support/diagnose?service_id=12345")
        let looks = diagnosis.body["looks"]?.asArray ?? []
        for subject in ["dns", "proxy", "certificate", "container", "software", "page"] {
            let seen = looks.filter { $0["subject"]?.asString == subject }
            #expect(!seen.isEmpty && seen.allSatisfy { $0["verdict"] == "good" }, "\(subject): \(seen)")
        }
        let made = try await town.ask("POST", "/actions/backup", site)
        #expect(made.status == 200 && made.body["backup"]?["backup"] != nil, "\(made.body.text)")
    }

    private static func remove(_ town: SiteTown, _ host: String) async throws {
        for _ in 1...2 {
            let gone = try await town.ask("POST", "/delete-site", site, own: true)
            #expect(gone.status == 200 && gone.body["status"] == "deleted", "\(gone.body.text)")
        }
        #expect(try await town.containers().isEmpty)
        #expect(try await town.outside.state(.cloudflare)["records"] == [])
        let isGone = try await eventually(within: .seconds(30)) { try await !town.visit(host).hasSuffix(" 200") }
        #expect(isGone)
        #expect(try await town.ask("GET", "/status?service_id=12345").status == 404)
        for name in [StandIns.Name.cloudflare, .npm] { #expect(try await town.outside.violations(name) == []) }
    }
}

extension JSONObject {
    fileprivate func merged(_ other: JSONObject) -> JSONObject {
        var all = self
        for member in other.members { all[member.key] = member.value }
        return all
    }
}
