import APIModels
import HTTPFetch
import Model
import Store
import Synchronization
import TestSupport
import Testing
import WireProtocol

@testable import API
@testable import ControllerCore
@testable import HTTP
@testable import WordPressProduct

/// Orders of sites by the API that was there before, and what becomes of them.
@Suite struct OrderTests {
    @Test func `an order is answered once the site is up, with its address and all that status tells`() async throws {
        try await Panel.with { panel in
            let made = try await panel.post(
                "/create-site", Panel.order.merged(with: ["public_ip": "203.0.113.10", "title": "Jane's"]))
            #expect(made.status == 200, "\(made.body.text)")
            let body = made.body
            #expect(body["service_id"] == "12345" && body["url"] == "https://jane.sites.example.org")
            #expect(body["vmid"] == 100 && body["private_ip"] == "192.0.2.10" && body["subdomain"] == "jane")
            #expect(body["public_ip"] == "203.0.113.10" && body["status"] == "running" && body["plan"] == "basic")
            #expect(body["node"]?.asString?.hasPrefix("node-") == true)
            #expect(body["resources"]?["memory"] == "? / 2048MB" && body["resources"]?["uptime"] == .null)
            #expect(body["domains"] == ["jane.sites.example.org"] && body["operation"] == nil)
            let service = try #require(try await panel.service())
            #expect(service.customer == "jane@example.org" && service.spec["title"] == "Jane's")
            #expect(try await panel.status().body == body)
            #expect(panel.stage.cluster.belongings.guests.count == 1)
        }
    }

    @Test func `the same order twice at once is one site, and both hear of it`() async throws {
        try await Panel.with(runs: false) { panel in
            async let first = panel.post("/create-site", Panel.order)
            async let second = panel.post("/create-site", Panel.order)
            let isTaken = try await eventually { try await panel.service() != nil }
            #expect(isTaken)
            let work = panel.work()
            let answers = try await [first, second]
            #expect(answers.map(\.status) == [200, 200] && answers[0].body == answers[1].body)
            #expect(panel.stage.cluster.belongings.guests.count == 1)
            let service = try #require(try await panel.service())
            #expect(try await panel.stage.store.operations(OperationFilter(service: service.id)).items.count == 1)
            // And again, when it is long done.
            #expect(try await panel.post("/create-site", Panel.order).body == answers[0].body)
            work.cancel()
        }
    }

    @Test func `another order with the same number is a conflict`() async throws {
        try await Panel.with { panel in
            try await panel.site()
            for change in [["plan": "standard"], ["email": "john@example.net"], ["title": "x"]] as [JSONObject] {
                let other = try await panel.post("/create-site", Panel.order.merged(with: change))
                #expect(other.status == 409 && !other.error.isEmpty, "\(change)")
            }
        }
    }

    @Test func `who does not want to wait is told of the operation, and joins it later`() async throws {
        try await Panel.with(runs: false) { panel in
            for preference in ["respond-async", "wait=0", "respond-async, wait=10"] {
                let taken = try await panel.post("/create-site", Panel.order, headers: ["Prefer": preference])
                #expect(taken.status == 202 && taken.body["status"] == "provisioning")
                #expect(taken.headers["Location"] == "/compat/wordpress/status?service_id=12345")
                #expect(taken.body["operation"]?["kind"] == "provision" && taken.body["url"] == .null)
                #expect(taken.body["operation"]?["id"]?.asString?.hasPrefix("op_") == true)
            }
            #expect(try await panel.status().body["operation"]?["state"] == "queued")
            let work = panel.work()
            #expect(try await panel.post("/create-site", Panel.order).status == 200)
            work.cancel()
        }
    }

    @Test func `what takes longer than anybody waits is answered with 202`() async throws {
        try await Panel.with(runs: false, patience: .milliseconds(300)) { panel in
            let answer = try await panel.post("/create-site", Panel.order)
            #expect(answer.status == 202)
        }
    }

    @Test func `an order waits longer than a connection may be silent, and is let go of when nobody waits any more`()
        async throws
    {
        var http = HTTPSettings()
        http.idleTimeout = .seconds(1)
        try await Panel.with(runs: false, http: http) { panel in
            let path = "/compat/wordpress/create-site"
            await #expect(throws: (any Error).self) {
                try await panel.ask("POST", "/create-site", .object(Panel.order), timeout: .milliseconds(1500))
            }
            let isLetGo = await eventually { panel.server.counters.all.contains { $0.series.route == path } }
            #expect(isLetGo, "it waits for nobody")
            async let answer = panel.post("/create-site", Panel.order)
            try await Task.sleep(for: .milliseconds(2500))
            let work = panel.work()
            #expect(try await answer.status == 200)
            work.cancel()
        }
    }

    @Test func `an order that fails says why and leaves nothing, and the same order tries again`() async throws {
        try await Panel.with { panel in
            panel.stage.cluster.change { $0.away = ["nod_1", "nod_2", "nod_3"] }
            let failed = try await panel.post("/create-site", Panel.order)
            #expect(failed.status == 502 && failed.error.contains("provision did not succeed"), "\(failed.body.text)")
            #expect(failed.field == nil && panel.stage.cluster.belongings.guests.isEmpty)
            #expect(try await panel.status().body["status"] == "failed")
            panel.stage.cluster.change { $0.away = [] }
            #expect(try await panel.post("/create-site", Panel.order).status == 200)
            #expect(panel.stage.cluster.belongings.guests.count == 1)
        }
    }

    @Test func `what is wrong with an order is said with the name of the field`() async throws {
        try await Panel.with { panel in
            let cases: [(JSONObject, String)] = [
                (["service_id": .null], "service_id"), (["service_id": "a b"], "service_id"),
                (["service_id": .string(String(repeating: "x", count: 101))], "service_id"),
                (["service_id": true], "service_id"), (["email": "nobody"], "email"),
                (["email": "a b@example.org"], "email"),
                (["email": 1], "email"), (["plan": "none"], "plan"), (["plan": "tiny"], "plan"), (["plan": ""], "plan"),
                (["public_ip": "198.51.100.1"], "public_ip"), (["public_ip": "here"], "public_ip"),
                (["title": "two\nlines"], "title"), (["color": "red"], "color"),
            ]
            _ = try await panel.stage.operations.createPlan(
                name: "tiny", product: "container",
                spec: ["image": "busybox:1", "memory_bytes": 67_108_864, "cpu_millis": 500, "disk_bytes": 134_217_728],
                by: SiteStage.by)
            for (change, field) in cases {
                let answer = try await panel.post("/create-site", Panel.order.merged(with: change))
                #expect(answer.status == 400 && answer.field == field, "\(change) \(answer.body.text)")
                #expect(answer.error.contains(field), "\(change) \(answer.body.text)")
                #expect(answer.headers["Content-Type"] == "application/json")
            }
            for field in ["service_id", "email", "plan"] {
                var body = Panel.order
                body[field] = nil
                let answer = try await panel.post("/create-site", body)
                #expect(answer.status == 400 && answer.field == field && answer.error.contains("\(field) is missing"))
            }
            #expect(try await panel.ask("POST", "/create-site").status == 400)
            #expect(try await panel.ask("POST", "/create-site", []).status == 400)
            let form = try await panel.ask(
                "POST", "/create-site", .object(Panel.order), headers: ["Content-Type": "text/plain"])
            #expect(form.status == 400 && form.field == "Content-Type")
            #expect(try await panel.stage.store.services(ServiceFilter(), page: PageRequest(limit: 1)).items.isEmpty)
        }
    }

    @Test func `a number may be a number, and other panels' numbers are others`() async throws {
        try await Panel.with { panel in
            let other = try await panel.stage.create("john@example.net", externalID: "12345")
            try await panel.site(["service_id": 12345])
            #expect(try await panel.service()?.id != other.service.id)
            #expect(try await panel.status("12345").body["service_id"] == "12345")
            #expect(try await panel.status("12346").status == 404)
        }
    }

    @Test func `a site is stopped, started and removed, as often as it is asked for`() async throws {
        try await Panel.with { panel in
            try await panel.site()
            let guest = { panel.stage.cluster.belongings.guests[100] }
            let site: JSONObject = ["service_id": "12345"]
            for _ in 1...2 {
                let answer = try await panel.post("/suspend", site)
                #expect(answer.status == 200 && answer.body["status"] == "suspended")
                #expect(guest()?.isRunning == false)
            }
            for _ in 1...2 {
                let answer = try await panel.post("/unsuspend", site)
                #expect(answer.status == 200 && answer.body["status"] == "running")
                #expect(guest()?.isRunning == true)
            }
            for _ in 1...2 {
                let answer = try await panel.post("/delete-site", site)
                #expect(answer.status == 200 && answer.body["status"] == "deleted", "\(answer.body.text)")
            }
            #expect(guest() == nil && panel.stage.outside.state.withLock { $0.records.isEmpty && $0.routes.isEmpty })
            #expect(try await panel.status().status == 404)
            #expect(try await panel.post("/suspend", site).status == 409)
            let again = try await panel.post("/create-site", Panel.order)
            #expect(again.status == 409 && again.field == "service_id")
            for path in ["/suspend", "/unsuspend", "/delete-site"] {
                let answer = try await panel.post(path, ["service_id": "none"])
                #expect(answer.status == 404 && answer.field == "service_id" && answer.error.contains("none"))
            }
        }
    }

    @Test func `what is on its way is joined by whoever asks for it again`() async throws {
        try await Panel.with(runs: false) { panel in
            var work = panel.work()
            try await panel.site()
            work.cancel()
            let site: JSONObject = ["service_id": "12345"]
            for path in ["/suspend", "/delete-site"] {
                let (first, second) = (
                    try await panel.post(path, site, headers: ["Prefer": "respond-async"]),
                    try await panel.post(path, site, headers: ["Prefer": "respond-async"])
                )
                #expect(first.status == 202 && second.status == 202, "\(second.body.text)")
                #expect(first.body["operation"]?["id"] == second.body["operation"]?["id"])
                work = panel.work()
                #expect(try await panel.post(path, site).status == 200)
                work.cancel()
            }
        }
    }

    @Test func `a stop that fails says why`() async throws {
        try await Panel.with { panel in
            try await panel.site()
            panel.stage.cluster.change { $0.belongings.guests[100]?.nonce = "another" }
            let answer = try await panel.post("/suspend", ["service_id": "12345"])
            #expect(answer.status == 502 && answer.error.contains("suspend did not succeed"), "\(answer.body.text)")
        }
    }
}
