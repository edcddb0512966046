import ControllerCore
import HTTPFetch
import IntegrationKit
import MatomoIntegration
import TestSupport
import Testing
import WireProtocol

/// Debian's Matomo with its MariaDB and its PHP, set up by its own installer and asked over its API.
private struct RealMatomo {
    private static let suite = "trixie"
    let url: String
    let token: String
    let lesserToken: String
    private let client = HTTPClient()

    static func with(_ body: (RealMatomo) async throws -> Void) async throws {
        try await RealParts.makeTree(suite, by: "matomo")
        let folder = try ScratchFolder("matomo")
        let program = try BackgroundProgram(
            "python3",
            [
                "\(Checkout.root)/Tests/Support/Trees/matomo-up", "\(RealParts.trees)/matomo-\(suite).tar", folder.path,
            ], log: folder.file("log"))
        do {
            guard await eventually(within: .seconds(900), { (try? folder.read("matomo.json")) != nil }) else {
                throw SetupFailure("Matomo does not come up: \(program.output.suffix(3000))")
            }
            let about = try JSONParser.parse(try folder.read("matomo.json")).asObject ?? [:]
            try await body(
                RealMatomo(
                    url: try about.string("url"), token: try about.string("token"),
                    lesserToken: try about.string("lesser_token")))
        } catch {
            await program.stop()
            throw error
        }
        await program.stop()
    }

    func connected(_ more: JSONObject = [:]) throws -> Integration {
        var settings: JSONObject = ["url": .string(url), "token": .string(token)]
        for member in more.members { settings[member.key] = member.value }
        let outside = IntegrationKind.Outside(http: .fetch(), name: "stats")
        return Matomo.kind.connect(try Matomo.kind.read(settings, "settings"), outside)
    }

    /// What a person would do there.
    @discardableResult
    func call(_ method: String, _ fields: [(name: String, value: String)] = []) async throws -> JSONValue {
        let form: [(name: String, value: String)] = [
            ("module", "API"), ("method", method), ("format", "JSON"), ("token_auth", token),
        ]
        let request = HTTPRequest(
            "POST", "\(url)/index.php", headers: ["Content-Type": "application/x-www-form-urlencoded"],
            body: .bytes(Array((form + fields).percentEncoded.utf8)))
        return try JSONParser.parse(try await client.send(request).body)
    }

    func site(_ id: String) async throws -> JSONValue { try await call("SitesManager.getSiteFromId", [("idSite", id)]) }
}

@Suite(.serialized, .enabled(if: RealParts.isOn), .timeLimit(.minutes(90))) struct MatomoTests {
    private let shop = AnalyticsSite(domain: "shop.example.org")

    @Test func `tracking sites are made, moved, taken over, given back and removed, and nothing else is touched`()
        async throws
    {
        try await RealMatomo.with { matomo in
            try await Self.test(matomo)
            try await own(matomo)
            try await adopt(matomo)
            try await keepTheLast(matomo)
        }
    }

    private static func test(_ matomo: RealMatomo) async throws {
        let good = try await matomo.connected(["timezone": "Europe/Berlin", "currency": "EUR"]).test()
        #expect(good.map(\.name) == ["sites", "rights", "timezone", "currency"])
        #expect(good.map(\.isPassed) == [true, true, true, true], "\(good)")
        let unknown = try await matomo.connected(["timezone": "Mars/Olympus"]).test()
        #expect(unknown.map(\.isPassed) == [true, true, false])
        let lesser = try await matomo.connected(["token": .string(matomo.lesserToken)]).test()
        #expect(lesser.map(\.isPassed) == [true, false] && lesser.last?.message.contains("super user") == true)
        let wrong = try await matomo.connected(["token": .string(String(repeating: "ab", count: 16))]).test()
        #expect(wrong.map(\.isPassed) == [false] && wrong.first?.message.contains("does not take the token") == true)
    }

    private func own(_ matomo: RealMatomo) async throws {
        let analytics = try #require(
            try matomo.connected(["timezone": "Europe/Berlin", "currency": "EUR"]).analytics)
        let keeper = analytics.sites
        #expect(try await keeper.find(shop.name, "svc_1") == nil)
        for _ in 1...2 { try await keeper.put(shop, "svc_1") }
        let id = try #require(try await keeper.find(shop.name, "svc_1")?.thing.id)
        let made = try await matomo.site(id)
        #expect(made["name"] == "shop.example.org" && made["main_url"] == "https://shop.example.org")
        #expect(made["timezone"] == "Europe/Berlin" && made["currency"] == "EUR")
        #expect(made["group"] == "innkeeper: svc_1")
        let code = try await analytics.snippet(id)
        #expect(code.contains("<script>") && code.contains("['setSiteId', '\(id)']"), "\(code)")
        await #expect(throws: PortError.self) { _ = try await analytics.snippet("999999") }
        // Another service's stands beside it.
        try await keeper.put(shop, "svc_2")
        #expect(try await keeper.find(shop.name, "svc_2")?.thing.id != id)
        // A lost answer leaves two: the older one stays.
        try await matomo.call(
            "SitesManager.addSite",
            [("siteName", "shop"), ("urls[0]", "https://shop.example.org"), ("group", "innkeeper: svc_1")])
        try await keeper.put(shop, "svc_1")
        let left = try await matomo.call("SitesManager.getSitesIdFromSiteUrl", [("url", "https://shop.example.org")])
        #expect(left.asArray?.count == 2)
        // Its lists and its further URLs go with it to another domain.
        try await matomo.call("SitesManager.updateSite", [("idSite", id), ("excludedIps", "192.0.2.1")])
        try await matomo.call(
            "SitesManager.addSiteAliasUrls", [("idSite", id), ("urls[0]", "https://alias.example.org")])
        let moved = AnalyticsSite(domain: "new.example.org", id: id)
        try await keeper.put(moved, "svc_1")
        #expect(try await keeper.find("new.example.org", "svc_1")?.thing == moved)
        #expect(try await keeper.find(shop.name, "svc_1") == nil)
        #expect(try await matomo.site(id)["excluded_ips"] == "192.0.2.1")
        let urls = try await matomo.call("SitesManager.getSiteUrlsFromId", [("idSite", id)])
        #expect(urls == ["https://new.example.org", "https://alias.example.org"])
        for _ in 1...2 {
            try await keeper.remove("new.example.org", "svc_1")
            try await keeper.remove(shop.name, "svc_2")
        }
        #expect(try await matomo.call("SitesManager.getSitesIdWithAdminAccess") == [1])
    }

    private func adopt(_ matomo: RealMatomo) async throws {
        let keeper = try #require(try matomo.connected(["adopt": true]).analytics).sites
        for group in ["Shops & \"more\" <x>", ""] {
            let made = try await matomo.call(
                "SitesManager.addSite",
                [
                    ("siteName", "Theirs"), ("urls[0]", "https://shop.example.org"), ("group", group),
                    ("excludedIps", "192.0.2.1,192.0.2.2"), ("excludedQueryParameters", "a,b"),
                    ("excludedUserAgents", "bot & \"x\""), ("excludedReferrers", "https://example.com"),
                    ("searchKeywordParameters", "q"), ("searchCategoryParameters", "c"),
                ])
            let id = "\(try #require(made["value"]?.asInteger))"
            let before = try await matomo.site(id)
            for _ in 1...2 { try await keeper.put(shop, "svc_1") }
            #expect(try await keeper.find(shop.name, "svc_1")?.thing.id == id)
            #expect(try await matomo.site(id) != before)
            for _ in 1...2 { try await keeper.remove(shop.name, "svc_1") }
            #expect(try await matomo.site(id) == before)
            try await matomo.call("SitesManager.deleteSite", [("idSite", id)])
        }
    }

    private func keepTheLast(_ matomo: RealMatomo) async throws {
        let keeper = try #require(try matomo.connected().analytics).sites
        try await keeper.put(shop, "svc_1")
        try await matomo.call("SitesManager.deleteSite", [("idSite", "1")])
        let error = await #expect(throws: PortError.self) { try await keeper.remove(shop.name, "svc_1") }
        #expect(error?.kind == .refused && error?.message.contains("the only one") == true)
    }
}
