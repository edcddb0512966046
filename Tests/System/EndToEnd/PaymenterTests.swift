import APIModels
import SiteSupport
import StandIns
import TestSupport
import Testing
import WireProtocol

extension EndToEnd {
    /// The extension of Paymenter, in a stand-in of its panel, sells services of the site.
    @Suite struct PaymenterTests {
        /// A panel of its own, with a key of its own, whose product is a plan of the same name.
        private func panel(
            _ site: Site, _ instance: String, services: ClosedRange<Int> = 17...17, wait: Int64 = 40,
            choices: String = ""
        ) async throws -> Panel {
            try await site.apply(plan: instance)
            let key = try await site.order("key", "create", instance, "--scope", "services").output
            return try Panel(
                url: site.front.url, key: String(key.split(separator: "\n").first ?? ""),
                authority: String(decoding: site.front.authority, as: UTF8.self),
                settings: ["instance": .string(instance), "wait": .integer(wait)],
                product: ["plan": .string(instance), "choices": .string(choices)], services: services)
        }

        private func service(_ site: Site, _ panel: String, _ id: Int = 17) async throws -> Service? {
            let path = "/api/v1/services?external_id=paymenter:\(panel):\(id)"
            return try await site.front.get(path, as: Listing<Service>.self).items.first
        }

        @Test func `a service is sold, suspended, resumed, upgraded and terminated, and each said twice is said once`()
            async throws
        {
            let site = try await Site.settled
            let panel = try await panel(site, "shop", choices: "memory_bytes: 32MiB 64MiB")
            try await panel.set("options", ["memory_bytes": "32 MiB", "disk_bytes": "1TiB", "image": "evil"])
            #expect(try await panel.must("createServer")["innkeeper_state"] == "running")
            let made = try #require(try await service(site, "shop"))
            #expect(made.customer == "paymenter:shop:user-7")
            let kept = try await panel.run("show", "17").value["properties"]
            #expect(kept?["innkeeper_service"] == .string(made.id))
            try await panel.must("createServer")
            try await site.expectWhole(made.id)

            for _ in 1...2 { try await panel.must("suspendServer") }
            try await site.expectWhole(made.id, state: "exited")
            for _ in 1...2 { try await panel.must("unsuspendServer") }
            try await site.expectWhole(made.id)

            try await panel.set("options", ["memory_bytes": "67108864"])
            for _ in 1...2 { try await panel.must("upgradeServer") }
            try await site.expectWhole(made.id, memory: 64 << 20)
            try await panel.set("options", ["memory_bytes": "48MiB"])
            let refused = try await panel.call("upgradeServer")
            #expect(refused.error?.contains("memory_bytes") == true)
            try await site.expectWhole(made.id, memory: 64 << 20)

            for _ in 1...2 { try await panel.must("terminateServer") }
            try await site.expectGone(made.id)
            try await panel.set("options", .object([:]))
            let again = try await panel.call("createServer")
            #expect(again.error?.contains("cancelled") == true)
            #expect(try await service(site, "shop")?.state == "terminated")
        }

        @Test func `two workers with one order make one service`() async throws {
            let site = try await Site.settled
            let panel = try await panel(site, "workers")
            async let first = panel.must("createServer")
            async let second = panel.must("createServer")
            #expect(try await [first, second].allSatisfy { $0["innkeeper_state"] == "running" })
            let made = try #require(try await service(site, "workers"))
            try await site.expectWhole(made.id)
            #expect(try await site.engines.containers(of: made.id).count == 1)
            try await panel.must("terminateServer")
        }

        @Test func `an order while the controller is down fails, and its repetition makes one service`() async throws {
            let site = try await Site.settled
            let panel = try await panel(site, "down")
            await site.controller.kill()
            let failed = try await panel.call("createServer")
            #expect(failed.error?.contains("cannot be reached") == true)
            #expect(failed.error?.contains("127.0.0.1") == false)
            try site.controller.start()
            try await site.settle()

            // Down again with the order taken: whoever repeats it then finds it.
            let point = Gate.Point(engine: .docker, action: "start", moment: .before)
            try site.gate.close(point)
            defer { site.gate.open(point) }
            async let waiting = panel.call("createServer")
            try await site.gate.reached(point)
            await site.controller.kill()
            #expect(try await waiting.error != nil)
            site.gate.open(point)
            try site.controller.start()
            try await site.settle()
            try await panel.must("createServer")
            let made = try #require(try await service(site, "down"))
            try await site.expectWhole(made.id)
            try await panel.must("terminateServer")
            try await site.expectGone(made.id)
        }

        @Test func `a suspension during provisioning takes effect after it`() async throws {
            let site = try await Site.settled
            let panel = try await panel(site, "unpaid", wait: 1)
            let point = Gate.Point(engine: .docker, action: "start", moment: .before)
            try site.gate.close(point)
            defer { site.gate.open(point) }
            // It goes on behind the job, which does not wait for it.
            #expect(try await panel.must("createServer")["innkeeper_state"] == "provisioning")
            try await site.gate.reached(point)
            for _ in 1...2 { try await panel.must("suspendServer") }
            site.gate.open(point)
            let made = try #require(try await service(site, "unpaid"))
            _ = try await site.front.until("/api/v1/services/\(made.id)", as: Service.self) { $0.state == "suspended" }
            try await site.expectWhole(made.id, state: "exited")
            try await panel.must("terminateServer")
            _ = try await site.front.until("/api/v1/services/\(made.id)", as: Service.self) { $0.state == "terminated" }
        }

        @Test func `a termination that overtakes its order leaves nothing`() async throws {
            let site = try await Site.settled
            let panel = try await panel(site, "overtaken", services: 1...4, wait: 40)
            // Before the order: the controller has never heard of it, and must not.
            try await panel.must("terminateServer", 1)
            #expect(try await panel.call("createServer", 1).error?.contains("cancelled") == true)
            #expect(try await service(site, "overtaken", 1) == nil)

            // Between the look at the panel's row and the order, from where the other worker finds nothing to end.
            let late = try await panel.call("createServer", 2, environment: ["PANEL_BECOMES": "cancelled"])
            #expect(late.error?.contains("takes it down again") == true)
            try await expectGone(site, "overtaken", 2)

            // The same with a suspension.
            let unpaid = try await panel.call("createServer", 3, environment: ["PANEL_BECOMES": "suspended"])
            #expect(unpaid.error == nil)
            let made = try #require(try await service(site, "overtaken", 3))
            _ = try await site.front.until("/api/v1/services/\(made.id)", as: Service.self) { $0.state == "suspended" }
            try await panel.must("terminateServer", 3)

            // While it is being made.
            let point = Gate.Point(engine: .docker, action: "start", moment: .before)
            try site.gate.close(point)
            defer { site.gate.open(point) }
            async let order = panel.call("createServer", 4)
            try await site.gate.reached(point)
            async let end = panel.call("terminateServer", 4)
            _ = try await site.front.until(
                "/api/v1/operations?service=paymenter:overtaken:4&kind=terminate", as: Listing<APIModels.Operation>.self
            ) { !$0.items.isEmpty }
            site.gate.open(point)
            #expect(try await end.error == nil)
            #expect(try await order.error != nil)
            try await expectGone(site, "overtaken", 4)
        }

        private func expectGone(_ site: Site, _ panel: String, _ id: Int) async throws {
            let made = try #require(try await service(site, panel, id))
            _ = try await site.front.until("/api/v1/services/\(made.id)", as: Service.self) { $0.state == "terminated" }
            try await site.expectGone(made.id)
        }

        @Test func `what fails at the controller fails in the panel, without the words that name nodes`() async throws {
            let site = try await Site.settled
            let panel = try await panel(site, "greedy", choices: "memory_bytes: 64TiB")
            try await panel.set("options", ["memory_bytes": "64TiB"])
            let failed = try await panel.call("createServer")
            let words = failed.error ?? ""
            let name = try await site.node { _ in true }.name
            #expect(words.contains("no_room") && words.contains("innctl operation show op_") && !words.contains(name))
            // Pressed again it is tried again, and never a second service.
            #expect(try await panel.call("createServer").error?.contains("no_room") == true)
            try await panel.must("terminateServer")
            try await panel.set("quantity", 2)
            #expect(try await panel.call("createServer").error?.contains("quantity") == true)
        }

        @Test func `settings are tested, and plans are offered`() async throws {
            let site = try await Site.settled
            let panel = try await panel(site, "settings")
            #expect(try await panel.plain("testConfig", panel.server).value == true)
            try await site.apply(plan: "settings-old")
            try await site.order("plan", "delete", "settings-old", "--yes")
            let fields = try await panel.plain("getProductConfig", panel.server, .array([])).value.asArray ?? []
            let options = fields.first?["options"]?.asArray?.compactMap { $0["value"]?.asString } ?? []
            #expect(options.contains("settings") && !options.contains("settings-old"))
            let looking = try await site.order("key", "create", "looking", "--scope", "read").output
            var settings = panel.server
            settings["key"] = .string(String(looking.split(separator: "\n").first ?? ""))
            let test = try await panel.plain("testConfig", settings)
            #expect(test.value.asString?.contains("scope") == true, "\(test)")
            settings["key"] = "ikk1.wrong"
            #expect(try await panel.plain("testConfig", settings).value.asString?.contains("API key") == true)
        }

        @Test func `a customer's pages work against the real controller`() async throws {
            let site = try await Site.settled
            let panel = try await panel(site, "pages")
            try await panel.must("createServer")
            let page = try await panel.run("page", "17", "overview").value.asString ?? ""
            let name = try await site.node { _ in true }.name
            #expect(page.contains("running") && page.contains("pages") && !page.contains(name))
            let actions = try await panel.must("getActions").asArray ?? []
            // A container has neither domains nor backups.
            #expect(actions.compactMap { $0["name"]?.asString } == ["overview"])
            try await panel.must("terminateServer")
        }
    }
}
