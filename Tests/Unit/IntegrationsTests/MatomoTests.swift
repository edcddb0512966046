import ControllerCore
import Model
import Saga
import StandIns
import Testing
import WireProtocol

@testable import MatomoIntegration

/// Against a stand-in that checks what it is asked.
@Suite struct `Matomo's tracking sites` {
    private static let token = "0123456789abcdef0123456789abcdef"
    private let shop = AnalyticsSite(domain: "shop.example.org")

    private func with(
        _ more: JSONObject = [:], clock: QuickClock = QuickClock(),
        _ body: (StandIns, AnalyticsProvider) async throws -> Void
    ) async throws {
        try await StandIns.with { outside in
            let integration = try Matomo.kind.connected(Self.settings(outside, more), clock: clock)
            try await body(outside, try #require(integration.analytics))
            #expect(try await outside.violations(.matomo) == [])
            #expect(try await outside.log(.matomo).allSatisfy { !$0.contains("0123456789") })
        }
    }

    private static func settings(_ outside: StandIns, _ more: JSONObject = [:]) -> JSONObject {
        var settings: JSONObject = ["url": .string(outside.url(.matomo)), "token": .string(token)]
        for member in more.members { settings[member.key] = member.value }
        return settings
    }

    /// But for the one that is always there.
    private func sites(_ outside: StandIns) async throws -> [JSONValue] {
        try await outside.state(.matomo)["sites"]?.asArray?.filter { $0["name"] != "Of others" } ?? []
    }

    private func calls(_ outside: StandIns, _ method: String) async throws -> Int {
        try await outside.log(.matomo).count { $0.hasSuffix("SitesManager.\(method)") }
    }

    private func foreign(_ outside: StandIns, _ group: String, _ more: JSONObject = [:]) async throws {
        var site: JSONObject = ["name": "Theirs", "urls": ["https://shop.example.org"], "group": .string(group)]
        for member in more.members { site[member.key] = member.value }
        try await outside.change(.matomo, ["site": .object(site)])
    }

    @Test func `one is made with our mark, found again with its id, and removed`() async throws {
        try await with(["timezone": "Europe/Berlin", "currency": "EUR"]) { outside, analytics in
            let keeper = analytics.sites
            #expect(try await keeper.find(shop.name, "svc_1") == nil)
            try await keeper.put(shop, "svc_1")
            let found = try #require(try await keeper.find(shop.name, "svc_1"))
            #expect(found == MarkedObject(AnalyticsSite(domain: "shop.example.org", id: "2"), mark: "svc_1"))
            let kept = try #require(try await sites(outside).first)
            #expect(kept["group"] == "innkeeper: svc_1" && kept["name"] == "shop.example.org")
            #expect(kept["main_url"] == "https://shop.example.org" && kept["timezone"] == "Europe/Berlin")
            #expect(kept["currency"] == "EUR")
            try await keeper.put(shop, "svc_1")
            #expect(try await calls(outside, "addSite") == 1)
            try await keeper.remove(shop.name, "svc_1")
            try await keeper.remove(shop.name, "svc_1")
            #expect(try await sites(outside).isEmpty)
        }
    }

    @Test func `what is somebody else's stands beside ours and stays`() async throws {
        try await with { outside, analytics in
            try await foreign(outside, "Shops")
            try await foreign(outside, "innkeeper: svc_2")
            // Found by a further URL of its, and with www, and not the site's all the same.
            try await foreign(
                outside, "innkeeper: svc_1", ["urls": ["https://a.example.org", "https://shop.example.org"]])
            try await foreign(outside, "innkeeper: svc_1", ["urls": ["https://www.shop.example.org"]])
            #expect(try await analytics.sites.find(shop.name, "svc_1") == nil)
            try await analytics.sites.put(shop, "svc_1")
            #expect(try await sites(outside).count == 5)
            #expect(try await analytics.sites.find(shop.name, "svc_1")?.thing.id == "6")
            try await analytics.sites.remove(shop.name, "svc_1")
            #expect(try await sites(outside).count == 4)
            #expect(try await calls(outside, "updateSite") == 0)
        }
    }

    /// What was counted before goes on being counted, and whoever had it has it again as it was.
    @Test(arguments: ["Shops & \"more\"", ""])
    func `where it is wished, what is there is taken over and given back`(_ group: String) async throws {
        try await with(["adopt": true]) { outside, analytics in
            let lists: JSONObject = [
                "excluded_ips": "192.0.2.1,192.0.2.2", "excluded_parameters": "a,b", "excluded_user_agents": "bot",
                "excluded_referrers": "example.com", "sitesearch_keyword_parameters": "q",
                "sitesearch_category_parameters": "c",
            ]
            // As Matomo keeps it.
            let kept = group.replacing("&", with: "&amp;").replacing("\"", with: "&quot;")
            try await foreign(outside, kept, lists)
            let before = try await sites(outside)
            for _ in 1...2 { try await analytics.sites.put(shop, "svc_1") }
            #expect(try await analytics.sites.find(shop.name, "svc_1")?.thing.id == "2")
            #expect(try await sites(outside).count == 1)
            #expect(try await calls(outside, "updateSite") == 1)
            #expect(try await sites(outside).first?["name"] == "Theirs")
            // Another service makes its own.
            try await analytics.sites.put(shop, "svc_2")
            #expect(try await analytics.sites.find(shop.name, "svc_2")?.thing.id == "3")
            try await analytics.sites.remove(shop.name, "svc_2")
            try await analytics.sites.remove(shop.name, "svc_1")
            #expect(try await analytics.sites.find(shop.name, "svc_1") == nil)
            #expect(try await sites(outside) == before)
        }
    }

    @Test func `a group whose name leaves no room for the mark is not taken over`() async throws {
        try await with(["adopt": true]) { outside, analytics in
            try await foreign(outside, String(repeating: "g", count: 240))
            let error = await portError { () throws(PortError) in try await analytics.sites.put(shop, "svc_1") }
            #expect(error?.kind == .conflict && error?.message.contains("too long") == true)
        }
    }

    @Test func `a site that gets another domain keeps what was counted`() async throws {
        try await with { outside, analytics in
            try await analytics.sites.put(shop, "svc_1")
            let lists: JSONValue = ["set": ["id": 2, "excluded_ips": "192.0.2.1"]]
            try await outside.change(.matomo, lists)
            try await outside.change(
                .matomo, ["set": ["id": 2, "urls": ["https://shop.example.org", "https://alias.example.org"]]])
            let moved = AnalyticsSite(domain: "new.example.org", id: "2")
            for _ in 1...2 { try await analytics.sites.put(moved, "svc_1") }
            #expect(try await analytics.sites.find("new.example.org", "svc_1")?.thing == moved)
            let kept = try #require(try await sites(outside).first)
            #expect(kept["urls"] == ["https://new.example.org", "https://alias.example.org"])
            #expect(kept["name"] == "new.example.org" && kept["excluded_ips"] == "192.0.2.1")
            #expect(try await calls(outside, "updateSite") == 1)
            let other = await portError { () throws(PortError) in try await analytics.sites.put(moved, "svc_2") }
            #expect(other?.kind == .conflict)
            // One that somebody has deleted is made again.
            try await outside.change(.matomo, ["remove": 2])
            try await analytics.sites.put(moved, "svc_1")
            #expect(try await analytics.sites.find("new.example.org", "svc_1")?.thing.id == "3")
        }
    }

    @Test(arguments: LostAnswer.allCases)
    func `an answer that is lost leaves one tracking site`(_ fault: LostAnswer) async throws {
        try await with { outside, analytics in
            let kind = JSONValue.string(fault.rawValue)
            try await outside.fault(.matomo, ["on": "addSite", "kind": kind])
            try await analytics.sites.put(shop, "svc_1")
            let id = try #require(try await analytics.sites.find(shop.name, "svc_1")?.thing.id)
            // A second one, of a request that came twice, goes as soon as somebody looks; the first one stays.
            try await analytics.sites.put(shop, "svc_1")
            #expect(try await sites(outside).map { $0["idsite"] } == [.string(id)])
            try await outside.fault(.matomo, ["on": "deleteSite", "kind": kind])
            do throws(PortError) { try await analytics.sites.remove(shop.name, "svc_1") } catch {
                #expect(error.kind == .silent)
            }
            try await analytics.sites.remove(shop.name, "svc_1")
            #expect(try await sites(outside).isEmpty)
        }
    }

    @Test func `a change that has not arrived is not repeated by itself`() async throws {
        try await with { outside, analytics in
            try await outside.fault(.matomo, ["on": "addSite", "kind": "html", "times": 9])
            let error = await portError { () throws(PortError) in try await analytics.sites.put(shop, "svc_1") }
            #expect(error?.kind == .silent)
            #expect(try await calls(outside, "addSite") == 1)
        }
    }

    @Test func `reading goes on through trouble`() async throws {
        let clock = QuickClock()
        try await with(clock: clock) { outside, analytics in
            for fault: JSONValue in [
                ["on": "Id", "kind": "html"], ["on": "Id", "kind": "html", "status": 200], ["on": "Id", "kind": "cut"],
                ["on": "Id", "kind": "unreachable"], ["on": "Id", "kind": "throttle", "seconds": 3],
                ["on": "Id", "kind": "status", "status": 503, "body": ["result": "error", "message": "Wartung"]],
            ] {
                try await outside.fault(.matomo, fault)
                #expect(try await analytics.sites.find(shop.name, "svc_1") == nil)
            }
            #expect(clock.pauses.count >= 5 && clock.pauses.reduce(.zero, +) >= .seconds(3))
        }
    }

    @Test func `what is said with 200 and means no is told, and nothing is made`() async throws {
        try await with(["timezone": "Mars/Olympus"]) { outside, analytics in
            let error = await portError { () throws(PortError) in try await analytics.sites.put(shop, "svc_1") }
            #expect(error?.kind == .refused && error?.message.contains("Die Zeitzone") == true)
            try await outside.change(.matomo, ["closed": true])
            let closed = await portError { () throws(PortError) in try await analytics.sites.put(shop, "svc_1") }
            #expect(closed?.message.contains("has been disabled") == true)
            #expect(try await sites(outside).isEmpty)
        }
        // An error that repeats the token is not repeated.
        try await with { outside, analytics in
            let said: JSONValue = ["result": "error", "message": .string("no such token: \(Self.token)")]
            try await outside.fault(.matomo, ["on": "addSite", "kind": "status", "status": 200, "body": said])
            let error = await portError { () throws(PortError) in try await analytics.sites.put(shop, "svc_1") }
            #expect(error?.kind == .refused && error?.message.contains(Self.token) == false)
        }
    }

    @Test func `the last tracking site is kept by Matomo, and that is said`() async throws {
        try await with { outside, analytics in
            try await analytics.sites.put(shop, "svc_1")
            try await outside.change(.matomo, ["remove": 1])
            let error = await portError { () throws(PortError) in
                try await analytics.sites.remove(shop.name, "svc_1")
            }
            #expect(error?.kind == .refused && error?.message.contains("the only one") == true)
        }
    }

    @Test func `the code for pages is as Matomo has it, with the address that we know`() async throws {
        try await with { outside, analytics in
            let code = try await analytics.snippet("1")
            #expect(code.contains("<script>") && code.contains("['setSiteId', '1']"), "\(code)")
            #expect(code.contains("u=\"//127.0.0.1:\(outside.port(.matomo))/\""))
            for wrong in ["99", "1&module=CoreAdminHome", ""] {
                let error = await portError { () throws(PortError) in _ = try await analytics.snippet(wrong) }
                #expect(error?.kind == .refused)
            }
        }
    }

    @Test func `what cannot be is refused without a call`() async throws {
        try await with { (outside, analytics) async throws in
            for domain in [
                "shop", "Shop.example.org", "shop.example.org/x", "shop.example.org&group=", "a%2eb.org", "",
            ] {
                let wish = AnalyticsSite(domain: domain)
                let error = await portError { () throws(PortError) in try await analytics.sites.put(wish, "svc_1") }
                #expect(error?.kind == .refused, "\(domain)")
            }
            for mark in ["svc_1, was: Shops", "", "a b"] {
                let error = await portError { () throws(PortError) in try await analytics.sites.put(shop, mark) }
                #expect(error?.kind == .refused, "\(mark)")
            }
            #expect(try await outside.log(.matomo).isEmpty)
        }
    }

    @Test func `settings that do not do name their field`() throws {
        func problem(_ more: JSONObject) -> String? {
            var settings: JSONObject = ["url": "https://stats.example.net", "token": "planted-1729"]
            for member in more.members { settings[member.key] = member.value }
            do { _ = try Matomo.kind.read(settings, "settings") } catch { return "\(error)" }
            return nil
        }
        #expect(problem([:]) == nil)
        for (field, value) in [
            ("url", "http://stats.example.net"), ("url", "https://stats.example.net/?module=API"),
            ("token", "two words"),
            ("group", "a: b"), ("group", " a"), ("currency", "euro"), ("timezone", "<script>"), ("adopt", "yes"),
        ] {
            let said = problem([field: .string(value)])
            #expect(said?.contains("settings.\(field)") == true && said?.contains("1729") == false, "\(said ?? "")")
        }
        let whole: JSONObject = ["url": "https://stats.example.net/matomo/index.php", "token": "planted-1729"]
        #expect(try Matomo.kind.read(whole, "settings")["url"] == "https://stats.example.net/matomo")
    }

    @Test func `the test tells what it saw`() async throws {
        try await StandIns.with { outside in
            func test(_ more: JSONObject) async throws -> [IntegrationCheck] {
                try await Matomo.kind.connected(Self.settings(outside, more)).test()
            }
            let good = try await test(["timezone": "Europe/Berlin", "currency": "EUR"])
            #expect(good.map(\.name) == ["sites", "rights", "timezone", "currency"])
            #expect(good.map(\.isPassed) == [true, true, true, true], "\(good)")
            #expect(try await test(["timezone": "Mars/Olympus"]).map(\.isPassed) == [true, true, false])
            let admin = try await test(["token": "fedcba9876543210fedcba9876543210"])
            #expect(admin.map(\.isPassed) == [true, false] && admin.last?.message.contains("super user") == true)
            let wrong = try await test(["token": "planted-1729"])
            #expect(wrong.map(\.isPassed) == [false] && wrong.first?.message.contains("1729") == false)
        }
    }

    /// The controller dies after the effect and before its journal: the next run finds what it left.
    @Test func `a step that is repeated finds its own`() async throws {
        try await with { outside, analytics in
            try await analytics.sites.put(shop, "svc_1")
            let made = try await Work("svc_1").ensure(shop, at: analytics.sites) { $0.id != nil }
            #expect(made.id == "2")
            try await Work("svc_2").ensureGone(shop.name, at: analytics.sites)
            #expect(try await sites(outside).count == 1)
            try await Work("svc_1").ensureGone(shop.name, at: analytics.sites)
            #expect(try await sites(outside).isEmpty)
        }
    }
}
