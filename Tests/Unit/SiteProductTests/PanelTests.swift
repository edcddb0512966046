import Glibc
import Model
import Processes
import Store
import Synchronization
import TestSupport
import Testing
import WireProtocol

@testable import ControllerCore
@testable import SiteProduct

/// Sites on an emulated server, with the node's real driver between.
@Suite struct PanelTests {
    private func with(
        _ settings: JSONObject = [:], _ body: (EmulatedPanel, PanelStage) async throws -> Void
    ) async throws {
        let panel = try await EmulatedPanel(settings)
        try await PanelStage.with(panel.port) { stage in try await body(panel, stage) }
    }

    @Test func `a site comes, sleeps, wakes and goes without a trace`() async throws {
        try await with { panel, stage in
            let site = try await stage.site(plan: "php")
            #expect(site.address["user"] == "user_exampleorg" && site.address["certificate"] == "active")
            #expect(site.address["doc_root"] == "/home/user_exampleorg/htdocs/example.org")
            let seen = try await panel.show("example.org")
            #expect(seen["type"] == "php" && seen["version"] == "8.3" && seen["certificate"]?["kind"] == "lets-encrypt")
            #expect(seen["mark"]?["service"] == .string(site.id))
            #expect(panel.text("etc/shadow.d/user_exampleorg").hasPrefix("hash"))
            #expect(try await stage.order("suspend", site.id).state == .succeeded)
            #expect(try await panel.show("example.org")["suspended"] == true)
            #expect(try await stage.order("resume", site.id).state == .succeeded)
            #expect(try await panel.show("example.org")["suspended"] == false)
            #expect(try await stage.order("terminate", site.id).state == .succeeded)
            #expect(!panel.has("home/user_exampleorg") && !panel.has("etc/nginx/sites-enabled/example.org.conf"))
            #expect(try await stage.store.allocations(service: site.id).isEmpty)
        }
    }

    @Test(
        arguments: [
            ("static", [:]), ("php", ["php_version": "8.3", "template": "Generic"]),
            ("nodejs", ["nodejs_version": "22"]),
            ("python", ["python_version": "3.11", "app_port": 8090]),
            ("reverse_proxy", ["proxy_url": "http://127.0.0.1:3000"]),
        ] as [(String, JSONObject)])
    func `each type of site can be had`(type: String, more: JSONObject) async throws {
        try await with { panel, stage in
            let spec = more.merged(with: ["type": .string(type)])
            _ = try await stage.operations.createPlan(name: "typed", product: "site", spec: spec, by: PanelStage.by)
            let site = try await stage.site(plan: "typed")
            let seen = try await panel.show("example.org")
            #expect(seen["type"]?.asString == type.replacing("_", with: "-"))
            if type == "nodejs" { #expect(seen["port"] == 21_000) }
            if type == "python" { #expect(seen["port"] == 8090) }
            #expect(try await stage.order("terminate", site.id).state == .succeeded)
        }
    }

    @Test func `a certificate that cannot be had yet stays wanted, and the site is up`() async throws {
        try await with(["unresolved": ["example.org"]]) { panel, stage in
            let site = try await stage.site(plan: "php")
            #expect(site.state == .running && site.address["certificate"] == "wanted")
            #expect(site.address["url"] == "http://example.org")
            let reason = site.address["certificate_reason"]?.asString ?? ""
            #expect(reason.contains("a name does not lead here") && reason.contains("NXDOMAIN"), "\(reason)")
            #expect(site.observed["wishes"]?["certificate"]?["tries"] == 1)
            #expect(panel.log.withLock { $0.filter { $0.hasPrefix("certificate.order") }.count } == 1)
        }
    }

    @Test func `nobody asks the authority before the names lead here`() async throws {
        try await with { panel, stage in
            stage.outside.change { $0.told["A www.example.org"] = ["198.51.100.9"] }
            let site = try await stage.site(plan: "php")
            let reason = site.address["certificate_reason"]?.asString
            #expect(reason == "www.example.org leads to 198.51.100.9, and should lead to 192.0.2.1")
            #expect(site.observed["wishes"]?["certificate"]?["tries"] == 0)
            #expect(!panel.told.contains("certificate.order"))
        }
    }

    // MARK: what is somebody else's

    private func addTheirs(_ panel: EmulatedPanel, user: String = "user_exampleorg") async throws {
        let made = try await panel.clpctl(
            "site:add:static", "--domainName=example.org", "--siteUser=\(user)", "--siteUserPassword=abcdefgh1")
        try #require(made.succeeded, "\(made.outputText)")
    }

    @Test func `a site that we did not make is a conflict that names it`() async throws {
        try await with { panel, stage in
            try await addTheirs(panel)
            let made = try await stage.create(plan: "php")
            let failed = try await stage.finish(made.operation.id)
            let said = failed.error?.message ?? ""
            #expect(failed.state == .failed && failed.error?.code == "conflict")
            #expect(said.contains("example.org is on the server already, with the account user_exampleorg"), "\(said)")
            #expect(try await panel.show("example.org")["mark"] == nil)
            #expect(try await stage.store.allocations(service: made.service.id).isEmpty)
            #expect(try await stage.order("terminate", made.service.id).state == .succeeded)
            #expect(panel.has("home/user_exampleorg"))
        }
    }

    @Test func `with the expected account it is taken into care, and given back when the order fails later`()
        async throws
    {
        try await with { panel, stage in
            try await addTheirs(panel)
            let site = try await stage.site(plan: "taking")
            #expect(site.observed["adopted"] == true && site.address["user"] == "user_exampleorg")
            #expect(try await panel.show("example.org")["mark"]?["service"] == .string(site.id))
            #expect(try await stage.order("terminate", site.id).state == .succeeded)
            #expect(!panel.has("home/user_exampleorg"))
        }
        try await with { panel, stage in
            try await addTheirs(panel, user: "alice")
            let made = try await stage.create(plan: "taking")
            let failed = try await stage.finish(made.operation.id)
            #expect(failed.error?.message.contains("the order means another account") == true)
            let second = try await stage.site(plan: "taking", externalID: "order-2", overrides: ["user": "alice"])
            #expect(second.address["user"] == "alice")
        }
    }

    @Test func `an account that somebody has is passed over, unless the order names it`() async throws {
        try await with { panel, stage in
            let passwd = panel.text("etc/passwd") + "user_exampleorg:x:1500:1500::/srv/other:/bin/sh\n"
            try panel.folder.write(Array(passwd.utf8), to: "etc/passwd")
            let site = try await stage.site(plan: "php")
            let user = site.address["user"]?.asString ?? ""
            #expect(user.hasPrefix("user_exampleorg") && user.utf8.count == 19, "\(user)")
            #expect(try await stage.order("terminate", site.id).state == .succeeded)
            let named = try await stage.create(
                "example.net", plan: "php", externalID: "order-2", overrides: ["user": "user_exampleorg"])
            let failed = try await stage.finish(named.operation.id)
            #expect(failed.state == .failed && failed.error?.code == "conflict")
        }
    }

    @Test func `a domain is one service's, also as a customer's own domain of another`() async throws {
        try await with { panel, stage in
            _ = try await stage.site(plan: "php")
            let again = try await stage.create(plan: "php", externalID: "order-2")
            #expect(try await stage.finish(again.operation.id).error?.message.contains("in use already") == true)
            let www = try await stage.create("www.example.org", plan: "php", externalID: "order-3")
            #expect(try await stage.finish(www.operation.id).error?.message.contains("in use already") == true)
            let suffix = try await stage.create("co.uk", plan: "php", externalID: "order-4")
            #expect(try await stage.finish(suffix.operation.id).error?.message.contains("nobody's own") == true)
        }
    }

    @Test func `a customer's key cannot take what is there`() async throws {
        try await PanelStage.with { stage in
            let customer = Requester(name: "key", customer: "cus-order-1")
            await #expect(throws: CoreError.self) {
                _ = try await stage.operations.createService(
                    ServiceRequest(
                        customer: "cus-order-1", plan: "php",
                        overrides: ["domain": "example.org", "adopt": "same_user"]), by: customer)
            }
        }
    }

    // MARK: what comes later

    @Test func `what is wanted is tried again when its time has come, told meanwhile, and settled`() async throws {
        try await PanelStage.with { stage in
            stage.panels.change { $0.refusal = "the authority could not verify a name" }
            stage.outside.change { $0.faults = [4: .refuses, 5: .refuses] }
            let made = try await stage.create()
            try await stage.finish(made.operation.id)
            let id = made.service.id
            var site = try await stage.service(id)
            #expect(site.state == .running && site.address["certificate"] == "wanted")
            #expect(site.address["certificate_reason"] == "the authority could not verify a name")
            let wishes = UnfulfilledWishes(operations: stage.operations)
            try await wishes.reconcile(stage.dependencies)
            func open() async throws -> [String] {
                let filter = FindingFilter(state: .open)
                return try await stage.store.findings(filter, page: PageRequest()).items.map(\.kind).sorted()
            }
            #expect(try await open().contains("service.certificate_wanted"))
            // Nothing before its time.
            #expect(try await stage.store.unfinishedOperations(service: id).isEmpty)
            for tries in 2...3 {
                stage.clock.state.withLock { $0.milliseconds += 24 * 3600 * 1000 }
                try await wishes.reconcile(stage.dependencies)
                let again = try #require(try await stage.store.unfinishedOperations(service: id).first)
                #expect(again.kind == "complete" && again.requestedBy == "reconciler/wishes")
                // While it runs nobody begins another.
                try await wishes.reconcile(stage.dependencies)
                #expect(try await stage.store.unfinishedOperations(service: id).count == 1)
                try await stage.finish(again.id)
                site = try await stage.service(id)
                if tries == 2 {
                    #expect(site.observed["wishes"]?["certificate"]?["tries"] == 2)
                    stage.panels.change { $0.refusal = nil }
                }
            }
            #expect(site.address["certificate"] == "active" && site.address["certificate_reason"] == nil)
            #expect(site.address["url"] == "https://example.org" && site.address["analytics_id"] == "7")
            try await wishes.reconcile(stage.dependencies)
            #expect(try await open().isEmpty)
        }
    }

    @Test func `databases and further names, on a real driver`() async throws {
        try await with { panel, stage in
            let site = try await stage.site(plan: "php")
            let added = try await stage.order("add-database", site.id, ["name": "shop", "password": "secret12345"])
            #expect(added.state == .succeeded, "\(added.error?.message ?? "")")
            let second = try await stage.order("add-database", site.id, ["name": "blog", "password": "secret12345"])
            #expect(second.error?.code == "quota")
            let again = try await stage.order("add-database", site.id, ["name": "shop", "password": "secret12345"])
            #expect(again.error?.code == "conflict")
            try await stage.addDomain("shop.example.net", to: site.id)
            let checked = try await stage.order("check-domain", site.id, ["domain": "shop.example.net"])
            #expect(checked.state == .succeeded, "\(checked.error?.message ?? "")")
            #expect(try await stage.store.domains(service: site.id).map(\.state) == [.active])
            let file = "etc/nginx/sites-enabled/~innkeeper-aliases-example.org.conf"
            let text = panel.text(file)
            #expect(text.contains("server_name shop.example.net www.shop.example.net;"), "\(text)")
            #expect(text.contains("root /home/user_exampleorg/htdocs/example.org;"), "\(text)")
            let seen = try await panel.show("example.org")
            #expect(seen["aliases"] == ["shop.example.net", "www.shop.example.net"])
            // A suspension covers them.
            #expect(try await stage.order("suspend", site.id).state == .succeeded)
            let suspension = panel.text("etc/nginx/sites-enabled/+innkeeper-suspended-example.org.conf")
            #expect(suspension.contains("shop.example.net"))
            #expect(try await stage.order("resume", site.id).state == .succeeded)
            #expect(try await stage.order("repair", site.id).state == .succeeded)
            #expect(try await stage.order("restart", site.id).state == .succeeded)
            #expect(try await stage.order("reset-password", site.id, ["password": "another12345"]).state == .succeeded)
            let removed = try await stage.order("remove-domain", site.id, ["domain": "shop.example.net"])
            #expect(removed.state == .succeeded, "\(removed.error?.message ?? "")")
            #expect(!panel.has(file))
            #expect(try await stage.order("remove-database", site.id, ["name": "shop"]).state == .succeeded)
            #expect(try await stage.order("terminate", site.id).state == .succeeded)
        }
    }

    // MARK: backups and another version

    private func filled(_ panel: EmulatedPanel, _ stage: PanelStage, plan: String) async throws -> ServiceRecord {
        let site = try await stage.site(plan: plan)
        let added = try await stage.order("add-database", site.id, ["name": "shop", "password": "secret12345"])
        try #require(added.state == .succeeded, "\(added.error?.message ?? "")")
        try panel.folder.write(Array("first".utf8), to: "home/user_exampleorg/htdocs/example.org/index.html")
        try panel.folder.write(Array("key".utf8), to: "home/user_exampleorg/.profile")
        return try await stage.service(site.id)
    }

    @Test func `a backup holds files and databases, and brings them back`() async throws {
        try await with { panel, stage in
            let plan: JSONObject = ["type": "php", "php_version": "8.3", "databases": 1, "backups": ["retention": 1]]
            _ = try await stage.operations.createPlan(name: "kept", product: "site", spec: plan, by: PanelStage.by)
            let site = try await filled(panel, stage, plan: "kept")
            // A link of the tenant's leads nowhere.
            try #require(
                symlink("/etc/passwd", "\(panel.folder.path)/home/user_exampleorg/htdocs/example.org/link") == 0)
            let kept = try await stage.order("back-up", site.id)
            #expect(kept.state == .succeeded, "\(kept.error?.message ?? "")")
            let file = "home/user_exampleorg/htdocs/example.org/index.html"
            try panel.folder.write(Array("second".utf8), to: file)
            let restored = try await stage.order("restore", site.id)
            #expect(restored.state == .succeeded, "\(restored.error?.message ?? "")")
            #expect(panel.text(file) == "first")
            #expect(!panel.has("home/user_exampleorg/.innkeeper-restore"))
            // One is kept.
            #expect(try await stage.order("back-up", site.id).state == .succeeded)
            #expect(try await stage.store.backups(service: site.id).count == 1)
            #expect(try panel.names(in: "var/lib/innkeeper/cloudpanel/backups").count == 1)
            #expect(try await stage.order("terminate", site.id).state == .succeeded)
            #expect(try panel.names(in: "var/lib/innkeeper/cloudpanel/backups").isEmpty)
        }
    }

    @Test(arguments: [nil, "site.add", "database.add", "site.restore"] as [String?])
    func `another version of PHP makes the site anew with all that was in it, or leaves it as it was`(failing: String?)
        async throws
    {
        try await with { panel, stage in
            let site = try await filled(panel, stage, plan: "php")
            if let failing { panel.failing.withLock { $0 = [failing] } }
            let ordered = try await stage.operations.upgrade(
                site.id, UpgradeRequest(overrides: ["php_version": "8.4"]), by: PanelStage.by)
            let ended = try await stage.finish(ordered.operation.id)
            #expect(
                ended.state == (failing == nil ? .succeeded : .failed), "\(ended.error?.message ?? "") \(panel.told)")
            let seen = try await panel.show("example.org")
            #expect(seen["version"]?.asString == (failing == nil ? "8.4" : "8.3"))
            #expect(seen["suspended"] == false && seen["mark"]?["service"] == .string(site.id))
            #expect(panel.text("home/user_exampleorg/htdocs/example.org/index.html") == "first")
            #expect(panel.text("home/user_exampleorg/.profile") == "key")
            #expect(panel.text("etc/shadow.d/user_exampleorg").hasPrefix("hash"))
            #expect(seen["certificate"]?["kind"] == "lets-encrypt")
            let after = try await stage.service(site.id)
            #expect(after.state == .running && after.spec["php_version"]?.asString == (failing == nil ? "8.4" : "8.3"))
            #expect(try await stage.order("terminate", site.id).state == .succeeded)
        }
    }

    @Test func `a database that nobody knows the password of keeps the version as it is`() async throws {
        try await with { panel, stage in
            let site = try await stage.site(plan: "php")
            let made = try await panel.clpctl(
                "db:add", "--domainName=example.org", "--databaseName=theirs", "--databaseUserName=theirs",
                "--databaseUserPassword=abcdefgh1")
            try #require(made.succeeded, "\(made.outputText)")
            let ordered = try await stage.operations.upgrade(
                site.id, UpgradeRequest(overrides: ["php_version": "8.4"]), by: PanelStage.by)
            let ended = try await stage.finish(ordered.operation.id)
            #expect(ended.error?.code == "unknown_database" && ended.error?.message.contains("theirs") == true)
            #expect(try await panel.show("example.org")["version"] == "8.3")
        }
    }
}
