import API
import APIModels
import ControllerCore
import HTTP
import HTTPFetch
import Model
import Store
import TestSupport
import Testing
import WireProtocol

@testable import WordPressProduct

/// Who may ask the API that was there before, and what he hears.
@Suite struct CompatibleAccessTests {
    private static let site: JSONObject = ["service_id": "12345"]
    /// Each path with a body that is right.
    static let calls: [(method: String, path: String, body: JSONObject?)] = [
        ("POST", "/create-site", Panel.order), ("POST", "/delete-site", site), ("POST", "/suspend", site),
        ("POST", "/unsuspend", site), ("GET", "/status?service_id=12345", nil),
        ("POST", "/customdomain/add", site.merged(with: ["domain": "shop.example.net"])),
        ("POST", "/actions/restart", site), ("POST", "/actions/backup", site),
        ("GET", "/actions/backups?service_id=12345", nil), ("POST", "/actions/restore", site),
        ("POST", "/actions/snapshot", site), ("POST", "/actions/rollback", site.merged(with: ["snapshot": "initial"])),
        ("POST", "/actions/reset-password", site), ("POST", "/actions/login", site),
        ("GET", "/upgrades/options?service_id=12345", nil),
        ("GET", "/upgrades/quote?service_id=12345&plan=standard", nil),
        ("POST", "/upgrades/apply", site.merged(with: ["plan": "standard"])),
        ("GET", "/support/diagnose?service_id=12345", nil),
        ("POST", "/support/note", site.merged(with: ["note": "called"])),
    ]

    @Test func `without a key, or with one that may not, nothing is told and nothing done`() async throws {
        var http = HTTPSettings()
        http.guessRate = Rate(perSecond: 100, burst: 1000)
        try await Panel.with(http: http) { panel in
            try await panel.site()
            let reader = try await Panel.key(panel.stage.store, ["read"])
            let other = try await Panel.key(panel.stage.store, ["plans"])
            for call in Self.calls {
                for key in ["", "ik_wrong"] + (call.method == "POST" ? [reader, other] : []) {
                    let answer = try await panel.ask(call.method, call.path, call.body.map { .object($0) }, key: key)
                    #expect(answer.status == 401 && !answer.error.isEmpty, "\(call.path) \(answer.body.text)")
                    #expect(answer.body.asObject?.keys.sorted() == ["error"], "\(call.path)")
                    #expect(answer.headers["WWW-Authenticate"] != nil)
                }
            }
            #expect(try await panel.status().body["status"] == "running")
            #expect(try await panel.ask("GET", "/status?service_id=12345", key: reader).status == 200)
            let health = try await panel.ask("GET", "/health", key: "")
            #expect(health.status == 200 && health.body["status"] == "ok")
            #expect(health.body["timestamp"]?.asString.flatMap { Timestamp(iso8601: $0) } != nil)
        }
    }

    @Test func `a key of one customer sees his sites, and others as if they were not there`() async throws {
        try await Panel.with { panel in
            try await panel.site()
            let own = try await Panel.key(panel.stage.store, ["read", "services"], customer: "jane@example.org")
            let rival = try await Panel.key(panel.stage.store, ["read", "services"], customer: "john@example.net")
            for call in Self.calls {
                let body = call.body.map { JSONValue.object($0) }
                let there = try await panel.ask(call.method, call.path, body, key: rival)
                let absent = try await panel.ask(
                    call.method, call.path.replacing("12345", with: "99999"),
                    call.body.map { .object($0.merged(with: ["service_id": "99999"])) }, key: rival)
                #expect(there.status == (call.path == "/create-site" ? 401 : 404), "\(call.path) \(there.body.text)")
                #expect(there.status == absent.status)
                #expect(there.error.replacing("12345", with: "N") == absent.error.replacing("99999", with: "N"))
            }
            let seen = try await panel.ask("GET", "/status?service_id=12345", key: own)
            #expect(seen.status == 200 && seen.body["node"] == .null && seen.body["private_ip"] == "192.0.2.10")
            let diagnosis = try await panel.ask("GET", "/support/diagnose?service_id=12345", key: own)
            for secret in ["node-1", "node-2", "node-3", "nod_", "pve"] {
                #expect(!diagnosis.body.text.contains(secret), "\(secret) in \(diagnosis.body.text)")
            }
            #expect(try await panel.ask("POST", "/suspend", .object(Self.site), key: own).status == 200)
        }
    }

    @Test func `the listener of this API alone has the very paths, and is open to programs of this machine`()
        async throws
    {
        try await Panel.with { panel in
            let made = try await panel.ask("POST", "/create-site/", .object(Panel.order), own: true)
            #expect(made.status == 200 && made.body["url"] == "https://jane.sites.example.org")
            for path in ["/status?service_id=12345", "/status/?service_id=12345", "/health", "/health/"] {
                #expect(try await panel.ask("GET", path, own: true).status == 200, "\(path)")
            }
            let taken = try await panel.ask(
                "POST", "/actions/restart", .object(Self.site), own: true, headers: ["Prefer": "respond-async"])
            #expect(taken.status == 202 && taken.headers["Location"] == "/status?service_id=12345")
            // What a browser on this machine loads from elsewhere is nobody of this machine.
            for headers in [
                ["Origin": "https://evil.example"], ["Host": "evil.example"], ["Host": "127.0.0.1.evil.example"],
            ] {
                let answer = try await panel.ask(
                    "POST", "/delete-site", .object(Self.site), own: true, headers: headers)
                #expect(answer.status == 401, "\(headers)")
            }
            // And the rest of the API is not there.
            let none = try await panel.ask("GET", "/api/v1/services", own: true)
            #expect(none.status == 404 && !none.error.isEmpty)
            #expect(try await panel.ask("GET", "/compat/wordpress/health", own: true).status == 404)
            let row = try await panel.stage.store.auditLog(actors: ["key:open-listener"])
            #expect(row.items.contains { $0.action == "service.provision" })
        }
    }

    @Test func `paths and methods that are not there are answered in this API's words`() async throws {
        try await Panel.with { panel in
            let none = try await panel.ask("GET", "/none")
            #expect(none.status == 404 && none.body.asObject?.keys.sorted() == ["error"])
            let method = try await panel.ask("GET", "/create-site")
            #expect(method.status == 405 && method.headers["Allow"] == "OPTIONS, POST" && !method.error.isEmpty)
            let query = try await panel.ask("GET", "/status?id=1")
            #expect(query.status == 400 && query.field == "id")
            let missing = try await panel.ask("GET", "/status")
            #expect(missing.status == 400 && missing.field == "service_id")
        }
    }

    @Test func `who asks too often is told to wait`() async throws {
        var http = HTTPSettings()
        http.keyRate = Rate(perSecond: 0.1, burst: 3)
        try await Panel.with(http: http) { panel in
            for _ in 1...3 { #expect(try await panel.status().status == 404) }
            let answer = try await panel.status()
            #expect(answer.status == 429 && answer.headers["Retry-After"] != nil && !answer.error.isEmpty)
        }
    }
}
