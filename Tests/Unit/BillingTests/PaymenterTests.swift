import StandIns
import TestSupport
import Testing
import WireProtocol

/// The extension of Paymenter in a stand-in of its panel, against a stand-in of the controller: what customers see and do, and what
/// is made of an answer that is none. `EndToEnd` has it against the real one.
@Suite(.timeLimit(.minutes(5))) struct PaymenterTests {
    private static let secrets = ["pve-secret-name", "secret-cluster", "127.0.0.1", "ikk1.stand-in"]

    private func with(_ body: (Panel, StandIns) async throws -> Void) async throws {
        try await StandIns.withController { controller in
            let panel = try Panel(
                url: "https://127.0.0.1:\(controller.port(.controller))", key: "ikk1.stand-in",
                authority: String(decoding: try controller.folder.read("ca.pem"), as: UTF8.self),
                product: ["plan": "basic"])
            try await body(panel, controller)
            #expect(try await controller.violations(.controller) == [])
        }
    }

    private func page(_ panel: Panel, _ name: String, flash: String? = nil) async throws -> String {
        let outcome =
            if let flash { try await panel.run("page", "17", name, flash) } else {
                try await panel.run("page", "17", name)
            }
        #expect(outcome.error == nil)
        return outcome.value.asString ?? ""
    }

    @Test func `a customer sees the state and the address, and nothing of nodes`() async throws {
        try await with { panel, _ in
            let overview = try await page(panel, "overview")
            #expect(overview.contains("running") && overview.contains("https://jane.sites.example.org"))
            for word in Self.secrets { #expect(!overview.contains(word), "\(word)") }
            let actions = try await panel.must("getActions").asArray ?? []
            #expect(actions.compactMap { $0["name"]?.asString } == ["overview", "domains", "backups"])
            #expect(actions.compactMap { $0["function"]?.asString } == ["backUp", "restart"])
        }
    }

    @Test func `a domain is added, shown with what to put into DNS, checked and removed`() async throws {
        try await with { panel, controller in
            let added = try await panel.send("add-domain", ["domain": "shop.example.net"])
            #expect(added.value["flash"]?["innkeeper"] == "It is under way.")
            #expect(added.value["url"] == "https://panel.example.org/services/17?tab=domains")
            let shown = try await page(panel, "domains")
            for words in ["_innkeeper.shop.example.net", "innkeeper-verification=abc", "203.0.113.10", "TXT record"] {
                #expect(shown.contains(words), "\(words)")
            }
            try await panel.send("check-domain", ["domain": "shop.example.net"])
            try await panel.send("remove-domain", ["domain": "shop.example.net"])
            let gone = try await panel.send("check-domain", ["domain": "shop.example.net"])
            #expect(gone.value["flash"]?["innkeeper"] == "There is no such thing any more.")
            let done = try await controller.state(.controller)["done"]
            #expect(done == ["add shop.example.net", "check shop.example.net", "remove shop.example.net"])
        }
    }

    @Test func `texts of others are shown as text`() async throws {
        try await with { panel, controller in
            let hostile: JSONValue = [
                "domain": "<script>a</script>", "state": "\"><img src=x onerror=a>", "proof": ["value": "<b>"],
                "records": [["value": "<i>"], 5, ["name": ["x"]]],
            ]
            try await controller.change(.controller, ["domains": ["x": hostile]])
            let shown = try await page(panel, "domains", flash: "<u>said</u>")
            for tag in ["<script", "<img", "<b>", "<i>", "<u>"] { #expect(!shown.contains(tag), "\(tag)") }
            #expect(shown.contains("&lt;script&gt;") && shown.contains("&lt;u&gt;"))
        }
    }

    @Test func `the forms of a page are for its customer alone`() async throws {
        try await with { panel, controller in
            #expect(try await panel.send("add-domain", ["domain": "a.example.net"], user: 8).error == "404")
            #expect(try await panel.send("add-domain", ["domain": "a.example.net"], user: 0).error == "401")
            #expect(try await panel.send("add-domain", ["domain": "a.example.net"], token: "guessed").error == "419")
            #expect(try await panel.send("terminate-server", ["domain": "a.example.net"]).error == "404")
            try await panel.set("status", "suspended")
            let suspended = try await panel.send("add-domain", ["domain": "a.example.net"])
            #expect(suspended.value["flash"]?["innkeeper"]?.asString?.contains("does not go now") == true)
            #expect(try await controller.state(.controller)["done"] == [])
        }
    }

    @Test(arguments: [".", "..", "../..", "a/../../../svc_2"])
    func `a name that is a path stays a name`(name: String) async throws {
        try await with { panel, controller in
            for act in ["remove-domain", "check-domain"] { try await panel.send(act, ["domain": name]) }
            try await panel.send("restore-backup", ["backup": name, "sure": "1"])
            try await panel.run("call", "17", "removeDomain", name)
            for line in try await controller.log(.controller) where !line.hasPrefix("GET ") {
                let parts = line.split(separator: "/").map(String.init)
                // POST api v1 services svc_1 domains NAME check
                try #require(parts.count >= 7, "\(line)")
                #expect(
                    parts.prefix(5).dropFirst() == ["api", "v1", "services", "svc_1"] && parts[5] == "domains",
                    "\(line)")
                #expect(parts.count == 7 || (parts.count == 8 && parts[7] == "check"), "\(line)")
            }
            #expect(try await controller.state(.controller)["done"] == [])
        }
    }

    @Test func `only a service's own backups are restored, by who has said that he means it`() async throws {
        try await with { panel, controller in
            try await controller.change(
                .controller,
                [
                    "backups": [
                        [
                            "id": "bak_1", "created_at": "2026-11-29T03:00:00.000Z", "size_bytes": 3_145_728,
                            "state": "done",
                        ]
                    ]
                ])
            let shown = try await page(panel, "backups")
            #expect(shown.contains("2026-11-29") && shown.contains("3.0 MiB"))
            try await panel.send("restore-backup", ["backup": "bak_1"])
            try await panel.send("restore-backup", ["backup": "bak_2", "sure": "1"])
            #expect(try await controller.state(.controller)["done"] == [])
            try await panel.send("restore-backup", ["backup": "bak_1", "sure": "1"])
            try await panel.must("backUp")
            // The same click again, before anything has become of the first.
            try await panel.must("backUp")
            #expect(try await panel.must("restart") == "https://panel.example.org/services/17?tab=overview")
            #expect(try await controller.state(.controller)["done"] == ["restore bak_1", "back up", "restart"])
        }
    }

    @Test func `what is refused is said in words for customers`() async throws {
        try await with { panel, _ in
            let bad = try await panel.send("add-domain", ["domain": "nodots"])
            #expect(bad.value["flash"]?["innkeeper"] == "That is not possible: domain must be a domain name")
            for name in ["a", "b"] { try await panel.send("add-domain", ["domain": "\(name).example.net"]) }
            let full = try await panel.send("add-domain", ["domain": "c.example.net"])
            let words = full.value["flash"]?["innkeeper"]?.asString ?? ""
            #expect(words.contains("plan") && !words.contains("pve-secret-name"))
        }
    }

    @Test func `a lost answer is asked for again and nothing is done twice`() async throws {
        try await with { panel, controller in
            try await controller.fault(.controller, ["on": "POST .*/domains$", "kind": "lost"])
            let added = try await panel.send("add-domain", ["domain": "a.example.net"])
            #expect(added.value["flash"]?["innkeeper"] == "It is under way.")
            #expect(try await controller.state(.controller)["done"] == ["add a.example.net"])
        }
    }

    struct Trouble: Sendable, CustomTestStringConvertible {
        var fault: JSONValue
        var words: String
        var testDescription: String { words }
    }

    static let troubles = [
        Trouble(fault: ["kind": "status", "status": 401], words: "does not know the API key"),
        Trouble(fault: ["kind": "status", "status": 403], words: "needs the scope"),
        Trouble(fault: ["kind": "status", "status": 301], words: "redirect"),
        Trouble(fault: ["kind": "html", "status": 404], words: "is not Innkeeper"),
        Trouble(fault: ["kind": "html", "status": 200], words: "is not Innkeeper"),
        Trouble(
            fault: ["kind": "status", "status": 500, "body": ["detail": "at pve-secret-name", "error_id": "err_5"]],
            words: "err_5 in the controller's log"),
        Trouble(fault: ["kind": "unreachable", "times": 9], words: "cannot be reached"),
        Trouble(fault: ["kind": "throttle", "times": 9, "seconds": 100], words: "too many requests"),
    ]

    @Test(arguments: troubles)
    func `the staff are told what the trouble is, and no secret`(_ trouble: Trouble) async throws {
        try await with { panel, controller in
            var fault = trouble.fault.asObject ?? [:]
            fault["on"] = "services/paymenter"
            try await controller.fault(.controller, .object(fault))
            let outcome = try await panel.call("suspendServer")
            #expect(outcome.error?.contains(trouble.words) == true, "\(outcome)")
            for word in Self.secrets { #expect(outcome.error?.contains(word) == false, "\(word)") }
        }
    }

    @Test func `what is busy for a moment is asked again`() async throws {
        try await with { panel, controller in
            try await controller.fault(
                .controller, ["on": "services/paymenter", "kind": "throttle", "seconds": 1],
                ["on": "services/paymenter", "kind": "status", "status": 503])
            #expect(try await panel.call("getActions").error != nil, "a page waits for nobody")
            let outcome = try await panel.call("upgradeServer")
            // The stand-in takes no upgrade: that it was asked is the point.
            #expect(outcome.error?.contains("there is no such thing") == true, "\(outcome)")
        }
    }

    @Test func `a controller that is not the one whose authority is entered gets no key`() async throws {
        try await with { panel, controller in
            var settings = panel.server
            settings["authority"] = ""
            let outcome = try await panel.plain("testConfig", settings)
            #expect(outcome.value.asString?.contains("not vouched for") == true, "\(outcome)")
            #expect(try await controller.log(.controller) == [])
        }
    }

    @Test(arguments: [
        ("url", "http://controller.example.org"), ("url", "https://user:pass@controller.example.org"),
        ("url", "https://controller.example.org/api"), ("url", ""), ("key", ""), ("key", "a b"), ("instance", "Shop 1"),
        ("instance", ""), ("authority", "no certificate"),
    ])
    func `settings that cannot be are named`(field: String, value: String) async throws {
        try await with { panel, controller in
            var settings = panel.server
            settings[field] = .string(value)
            let outcome = try await panel.plain("testConfig", settings)
            #expect(outcome.value.asString?.contains("server's settings") == true, "\(outcome)")
            #expect(try await controller.log(.controller) == [])
        }
    }
}
