import APIModels
import HTTPFetch
import Model
import Store
import Synchronization
import TestSupport
import Testing
import WireProtocol

@testable import ControllerCore
@testable import WordPressProduct

/// What customers do by the API that was there before: domains, backups, passwords, upgrades, support.
@Suite struct CustomerTests {
    private static let site: JSONObject = ["service_id": "12345"]

    // MARK: domains

    @Test func `a domain is taken up, proven, and served, and each answer says what is missing`() async throws {
        try await Panel.with { panel in
            try await panel.site()
            let order = Self.site.merged(with: ["domain": "www.Shop.Example.net."])
            for _ in 1...2 {
                let first = try await panel.post("/customdomain/add", order)
                #expect(first.status == 202 && first.body["domain"]?["state"] == "awaiting_proof", "\(first.body.text)")
                #expect(first.body["domain"]?["record"]?["name"] == "_innkeeper.shop.example.net")
                #expect(first.body["domain"]?["reason"]?.asString?.contains("TXT") == true)
                #expect(first.body["domains"] == ["jane.sites.example.org"])
            }
            let service = try #require(try await panel.service())
            try await panel.stage.tellProof(service.id)
            let proven = try await panel.post("/customdomain/add", order)
            #expect(proven.status == 202 && proven.body["domain"]?["state"] == "proven")
            panel.stage.outside.change { state in
                for name in ["shop.example.net", "www.shop.example.net"] { state.told["A \(name)"] = ["203.0.113.10"] }
            }
            let active = try await panel.post("/customdomain/add", order)
            #expect(active.status == 200 && active.body["domain"]?["state"] == "active", "\(active.body.text)")
            #expect(active.body["domains"] == ["jane.sites.example.org", "shop.example.net"])
            #expect(active.body["url"] == "https://shop.example.net")
            #expect(try await panel.post("/customdomain/add", order).status == 200)
        }
    }

    @Test func `a domain beyond the quota, of somebody else or of nobody is refused`() async throws {
        try await Panel.with { panel in
            try await panel.site()
            try await panel.site(["service_id": "2", "email": "john@example.net"])
            func add(_ number: String, _ domain: JSONValue) async throws -> Panel.Answer {
                try await panel.post("/customdomain/add", ["service_id": .string(number), "domain": domain])
            }
            #expect(try await add("12345", "shop.example.net").status == 202)
            let service = try #require(try await panel.service())
            try await panel.stage.tellProof(service.id)
            #expect(try await add("12345", "shop.example.net").status == 202)
            let taken = try await add("2", "shop.example.net")
            #expect(taken.status == 409 && taken.field == "domain" && !taken.error.contains("12345"))
            let quota = try await add("12345", "other.example.net")
            #expect(quota.status == 409 && quota.error.contains("the plan allows one domain"))
            for domain in ["", "one", "co.uk", "a b.example", "jane.sites.example.org", "sites.example.org"] {
                let answer = try await add("2", .string(domain))
                #expect(answer.status == 400 && answer.field == "domain", "\(domain) \(answer.body.text)")
            }
            #expect(try await add("2", 7).status == 400)
        }
    }

    // MARK: actions

    @Test func `a site is restarted, backed up, restored, kept and taken back`() async throws {
        try await Panel.with { panel in
            try await panel.site()
            #expect(try await panel.post("/actions/restart", Self.site).status == 200)
            #expect(panel.stage.cluster.log.contains("container.restart"))
            let none = try await panel.post("/actions/restore", Self.site)
            #expect([404, 409].contains(none.status), "\(none.status) \(none.body.text)")
            let made = try await panel.post("/actions/backup", Self.site)
            let name = try #require(made.body["backup"]?["backup"]?.asString)
            #expect(made.status == 200 && made.body["backup"]?["size_bytes"] == 1)
            let list = try await panel.ask("GET", "/actions/backups?service_id=12345")
            #expect(list.status == 200 && list.body["backups"]?.asArray?.count == 1)
            #expect(
                list.body["backups"]?.asArray?.first?["created_at"]?.asString.flatMap { Timestamp(iso8601: $0) } != nil)
            #expect(list.body["snapshots"] == ["initial"])
            for more in [[:], ["backup": .string(name)]] as [JSONObject] {
                #expect(try await panel.post("/actions/restore", Self.site.merged(with: more)).status == 200)
            }
            let foreign = try await panel.post("/actions/restore", Self.site.merged(with: ["backup": "backups:other"]))
            #expect(foreign.status == 404)
            let kept = try await panel.post("/actions/snapshot", Self.site)
            let snapshot = try #require(kept.body["snapshot"]?.asString)
            #expect(kept.status == 200 && snapshot.hasPrefix("api-"))
            let back = Self.site.merged(with: ["snapshot": .string(snapshot)])
            #expect(try await panel.post("/actions/rollback", back).status == 200)
            #expect(
                try await panel.post("/actions/rollback", Self.site.merged(with: ["snapshot": "none"])).status == 404)
            let unnamed = try await panel.post("/actions/rollback", Self.site)
            #expect(unnamed.status == 400 && unnamed.field == "snapshot")
            let wrong = try await panel.post("/actions/snapshot", Self.site.merged(with: ["snapshot": "a b"]))
            #expect(wrong.status == 400 && wrong.field == "snapshot")
        }
    }

    @Test func `a password is set, or made and told once, and stands in no book`() async throws {
        try await Panel.with { panel in
            try await panel.site()
            let given = try await panel.post(
                "/actions/reset-password", Self.site.merged(with: ["password": "correct horse"]))
            #expect(given.status == 200 && given.body["password"] == nil)
            #expect(panel.stage.cluster.belongings.guests[100]?.password == "correct horse")
            let made = try await panel.post("/actions/reset-password", Self.site)
            let password = try #require(made.body["password"]?.asString)
            #expect(made.status == 200 && password.utf8.count == 24)
            #expect(panel.stage.cluster.belongings.guests[100]?.password == password)
            let short = try await panel.post("/actions/reset-password", Self.site.merged(with: ["password": "short"]))
            #expect(short.status == 400 && short.field == "password")
            let service = try #require(try await panel.service())
            for operation in try await panel.stage.store.operations(OperationFilter(service: service.id)).items {
                #expect(!JSONValue.object(operation.parameters).text.contains(password))
                #expect(operation.parameters[OperationType.secretsKey] == nil)
            }
        }
    }

    @Test func `a link leads in once: its token goes to the site apart, and is not kept`() async throws {
        try await Panel.with { panel in
            try await panel.site()
            let answer = try await panel.post("/actions/login", Self.site.merged(with: ["user": "admin"]))
            let url = try #require(answer.body["login"]?["url"]?.asString)
            let start = "https://jane.sites.example.org/?innkeeper-login="
            #expect(answer.status == 200 && url.hasPrefix(start) && answer.body["login"]?["expires_in"] == 300)
            let token = url.dropFirst(start.utf8.count)
            #expect(token.utf8.count == 43)
            let run = try #require(panel.stage.cluster.state.withLock { $0.calls.last { $0.action == "recipe.run" } })
            #expect(run.arguments["verb"] == "login" && run.secrets["parameters"]?["token"]?.asString == String(token))
            #expect(!JSONValue.object(run.arguments).text.contains(token))
            let second = try await panel.post("/actions/login", Self.site)
            #expect(second.body["login"]?["url"]?.asString != url)
            let service = try #require(try await panel.service())
            for operation in try await panel.stage.store.operations(OperationFilter(service: service.id)).items {
                #expect(operation.parameters[OperationType.secretsKey] == nil)
            }
            _ = try await panel.post("/suspend", Self.site)
            #expect(try await panel.post("/actions/login", Self.site).status == 409)
        }
    }

    // MARK: upgrades

    @Test func `plans that a site can change to are listed, counted through, and taken`() async throws {
        try await Panel.with { panel in
            _ = try await panel.stage.operations.createPlan(
                name: "small", product: "wordpress", spec: SiteStage.plan(disk: 10), by: SiteStage.by)
            try await panel.site()
            let options = try await panel.ask("GET", "/upgrades/options?service_id=12345")
            let plans = options.body["options"]?.asArray ?? []
            #expect(options.status == 200 && plans.map { $0["plan"] } == ["basic", "small", "standard"])
            #expect(plans.map { $0["possible"] } == [false, false, true])
            #expect(plans[0]["current"] == true && plans[1]["reason"]?.asString?.contains("only grow") == true)
            #expect(plans[2]["memory_mb"] == 4096 && plans[2]["disk_gb"] == 40 && plans[2]["cores"] == 2)
            let quote = try await panel.ask("GET", "/upgrades/quote?service_id=12345&plan=standard")
            #expect(quote.status == 200 && quote.body["from"] == "basic" && quote.body["to"] == "standard")
            #expect(quote.body["changes"]?["memory_bytes"] == ["from": 2_147_483_648, "to": 4_294_967_296])
            #expect(try await panel.service()?.plan == "basic")
            for plan in ["small", "none"] {
                let refused = try await panel.ask("GET", "/upgrades/quote?service_id=12345&plan=\(plan)")
                #expect(refused.status == 400 && refused.field == "plan", "\(plan) \(refused.body.text)")
                let applied = try await panel.post("/upgrades/apply", Self.site.merged(with: ["plan": .string(plan)]))
                #expect(applied.status == 400 && applied.field == "plan")
            }
            for _ in 1...2 {
                let applied = try await panel.post("/upgrades/apply", Self.site.merged(with: ["plan": "standard"]))
                #expect(applied.status == 200 && applied.body["plan"] == "standard")
            }
            #expect(panel.stage.cluster.belongings.guests[100]?.memory == 4096)
            #expect(try await panel.status().body["resources"]?["memory"] == "? / 4096MB")
            let service = try #require(try await panel.service())
            let filter = OperationFilter(service: service.id, kind: "upgrade")
            #expect(try await panel.stage.store.operations(filter).items.count == 1)
        }
    }

    // MARK: support

    @Test func `a diagnosis says how a site is from all sides, with what was noted`() async throws {
        try await Panel.with { panel in
            try await panel.site()
            let noted = try await panel.post(
                "/support/note", Self.site.merged(with: ["note": "called,\nand was angry"]))
            #expect(noted.status == 200 && noted.body["notes"]?.asArray?.first?["note"] == "called,\nand was angry")
            func diagnose() async throws -> (JSONValue, [String: [JSONValue]]) {
                let answer = try await panel.ask("GET", "/support/diagnose?service_id=12345")
                #expect(answer.status == 200)
                let looks = answer.body["looks"]?.asArray ?? []
                return (answer.body, Dictionary(grouping: looks) { $0["subject"]?.asString ?? "" })
            }
            let (well, looks) = try await diagnose()
            #expect(Set(looks.keys) == ["dns", "proxy", "certificate", "container", "software", "page"])
            for look in well["looks"]?.asArray ?? [] { #expect(look["verdict"] == "good", "\(look.text)") }
            let text = try #require(well["text"]?.asString)
            for part in [
                "Site 12345", "https://jane.sites.example.org", "note of", "and was angry", "provision succeeded",
            ] {
                #expect(text.contains(part), "\(part) in \(text)")
            }
            let guest = try #require(panel.stage.cluster.belongings.guests[100])
            for secret in [guest.nonce, try #require(guest.password)] {
                #expect(!secret.isEmpty && !well.text.contains(secret))
            }
            // Everything goes wrong.
            panel.stage.cluster.change { $0.belongings.guests[100]?.isRunning = false }
            panel.stage.outside.change { state in
                state.told = ["A jane.sites.example.org": ["198.51.100.1"]]
                (state.routes, state.certificates) = ([:], [])
            }
            let (ill, bad) = try await diagnose()
            for subject in ["dns", "proxy", "certificate", "container", "page"] {
                #expect(bad[subject]?.first?["verdict"] == "wrong", "\(subject): \(bad[subject] ?? [])")
            }
            #expect(ill["text"]?.asString?.contains("[!!] container: the container is stopped") == true)
            // And nobody answers at all.
            panel.stage.cluster.change { $0.away = ["nod_1", "nod_2", "nod_3"] }
            #expect(try await diagnose().1["container"]?.first?["verdict"] == "unclear")
        }
    }

    @Test func `notes are bounded, and kept in the audit log`() async throws {
        try await Panel.with { panel in
            try await panel.site()
            for text in ["", String(repeating: "x", count: 2001), "bell \u{7}"] {
                let answer = try await panel.post("/support/note", Self.site.merged(with: ["note": .string(text)]))
                #expect(answer.status == 400 && answer.field == "note")
            }
            for number in 1...25 {
                let body = Self.site.merged(with: ["note": .string("note \(number)")])
                #expect(try await panel.post("/support/note", body).status == 200)
            }
            let diagnosis = try await panel.ask("GET", "/support/diagnose?service_id=12345")
            let notes = diagnosis.body["notes"]?.asArray?.compactMap { $0["note"]?.asString } ?? []
            #expect(notes.count == 20 && notes.first == "note 25" && notes.last == "note 6")
            let own = try await Panel.key(panel.stage.store, ["read", "services"], customer: "jane@example.org")
            let seen = try await panel.ask("GET", "/support/diagnose?service_id=12345", key: own)
            #expect(seen.body["notes"] == [])
            let service = try #require(try await panel.service())
            let rows = try await panel.stage.store.auditLog(subjects: [service.id]).items
            #expect(rows.count { $0.action == "service.note" } == 25)
        }
    }
}
