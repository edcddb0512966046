import Model
import Store
import Synchronization
import Testing
import WireProtocol

@testable import ControllerCore
@testable import WordPressProduct

/// What is particular to sites.
@Suite struct SiteTests {
    // MARK: numbers and names

    @Test func `a number that a guest of somebody else's has is noted as taken, and the next is tried`() async throws {
        try await SiteStage.with { stage in
            let stranger = Belongings.Guest(
                node: "nod_1", service: nil, nonce: "", memory: 1, cores: 1, disk: 1, address: "192.0.2.200",
                hostname: "theirs", isRunning: true)
            stage.cluster.change { $0.belongings.guests = [100: stranger, 101: stranger] }
            let site = try await stage.site()
            #expect(site.address["vmid"] == 102)
            #expect(
                stage.cluster.belongings.guests[100] == stranger && stage.cluster.belongings.guests[101] == stranger)
            let withheld = try await stage.store.withheldValues(kind: "vmid").items
            #expect(withheld.map(\.value) == ["100", "101"] && withheld.allSatisfy { $0.reason == .foreign })
            #expect(withheld.allSatisfy { $0.scope == "cluster/pve" })
        }
    }

    @Test func `a name that has a record of somebody else's gives way to another`() async throws {
        try await SiteStage.with { stage in
            let theirs = ModelOutside.Kept(
                thing: DNSRecord(type: .cname, host: "jane.sites.example.org", value: "x.example.net"), mark: nil)
            stage.outside.change { $0.records[theirs.thing.name] = theirs }
            let site = try await stage.site()
            let host = try #require(site.address["host"]?.asString)
            #expect(host.hasPrefix("jane-") && host.hasSuffix(".sites.example.org"))
            #expect(stage.outside.state.withLock { $0.records[theirs.thing.name] } == theirs)
        }
    }

    @Test func `a name that looks like another customer's gets a suffix`() async throws {
        try await SiteStage.with { stage in
            let first = try await stage.site("jo-li@example.org")
            let second = try await stage.site("j0l1@example.net", externalID: "order-2")
            #expect(first.address["host"] == "jo-li.sites.example.org")
            #expect(second.address["host"]?.asString?.hasPrefix("j0l1-") == true)
            // Not even after it is gone: not for 30 days.
            try await stage.order("terminate", first.id)
            let third = try await stage.site("joli@example.net", externalID: "order-3")
            #expect(third.address["host"]?.asString?.hasPrefix("joli-") == true)
            stage.clock.state.withLock { $0.milliseconds += 31 * 86_400_000 }
            let fourth = try await stage.site("jo.li@example.net", externalID: "order-4")
            #expect(fourth.address["host"] == "jo-li.sites.example.org")
        }
    }

    @Test func `without an e-mail address there is no site`() async throws {
        try await SiteStage.with { stage in
            let made = try await stage.operations.createService(
                ServiceRequest(externalID: "o", customer: "c", plan: "basic"), by: SiteStage.by)
            let ended = try await stage.finish(made.operation.id)
            #expect(ended.state == .failed && ended.error?.message.contains("e-mail address") == true)
            #expect(stage.cluster.log.isEmpty)
        }
    }

    // MARK: the installation

    @Test func `the recipe gets its secrets apart, and they stand in no argument`() async throws {
        try await SiteStage.with { stage in
            let site = try await stage.site()
            let run = try #require(stage.cluster.state.withLock { $0.calls.first { $0.action == "recipe.run" } })
            let password = try #require(run.secrets["parameters"]?["admin_password"]?.asString)
            #expect(password.utf8.count == 24)
            #expect(run.arguments["parameters"]?["admin_email"] == "jane@example.org")
            #expect(run.arguments["mark"]?["service"] == .string(site.id))
            #expect(!JSONValue.object(run.arguments).text.contains(password))
            #expect(!JSONValue.object(site.address).text.contains(password))
            #expect(!JSONValue.object(site.observed).text.contains(password))
        }
    }

    @Test func `another site's page behind the name is not taken for this one's`() async throws {
        try await SiteStage.with { stage in
            let other = try await stage.site("bob@example.net", externalID: "order-0")
            let made = try await stage.create()
            // The proxy leads the name to a container that it is not for.
            let target = try #require(other.address["target"]?.asString)
            stage.outside.change { $0.misled["jane.sites.example.org"] = target }
            let ended = try await stage.finish(made.operation.id)
            #expect(ended.state == .failed && ended.error?.message.contains("another site") == true)
            #expect(stage.cluster.belongings.guests.count == 1)
        }
    }

    @Test func `a password that is given is handed over and forgotten`() async throws {
        try await SiteStage.with { stage in
            let site = try await stage.site()
            let ended = try await stage.order("reset-password", site.id, ["password": "correct horse"])
            #expect(ended.state == .succeeded && ended.parameters["secrets"] == nil)
            #expect(stage.cluster.belongings.guests.values.first?.password == "correct horse")
            await #expect(throws: CoreError.self) {
                try await stage.operations.order(
                    "reset-password", on: site.id, parameters: ["password": "short"], by: SiteStage.by)
            }
        }
    }

    // MARK: HA

    @Test(arguments: ["no votes", "no shared storage"])
    func `without votes or shared storage it is not given to the HA manager`(lack: String)
        async throws
    {
        try await SiteStage.with { stage in
            stage.cluster.change { state in
                if lack == "no votes" { state.nodes["nod_3"] = nil } else { state.isShared = false }
            }
            let site = try await stage.site()
            #expect(stage.cluster.belongings.guests.values.first?.isInHA == false && site.observed["ha"] == false)
            #expect(!stage.cluster.log.contains("ha.add"))
        }
    }

    @Test func `what is asked of the HA manager and of the storage for backups says whose the container is`()
        async throws
    {
        try await SiteStage.with { stage in
            let site = try await stage.site()
            try await stage.order("back-up", site.id)
            // Another making of the same container has the same backups.
            stage.cluster.change { $0.belongings.guests[100]?.nonce = "restored" }
            try await stage.order("terminate", site.id)
            let calls = stage.cluster.state.withLock { $0.calls }
            for action in ["ha.add", "ha.remove", "backup.destroy"] {
                let call = calls.last { $0.action == action }
                #expect(call?.arguments["mark"]?["service"] == .string(site.id), "\(action)")
            }
            #expect(stage.cluster.belongings == Belongings())
        }
    }

    @Test func `a container that the HA manager has moved is found, and the books follow`() async throws {
        try await SiteStage.with { stage in
            let site = try await stage.site()
            stage.cluster.change { $0.belongings.guests[100]?.node = "nod_2" }
            try await stage.store.recordInventory(
                InventoryReport(
                    node: "nod_2", driver: "proxmox", generation: 1, isFull: true,
                    items: [(resource: "proxmox/ct/100", state: ["vmid": 100, "owner": .string(site.id)])]),
                at: stage.clock.port.now())
            #expect(try await stage.order("suspend", site.id).state == .succeeded)
            #expect(try await stage.service(site.id).node == "nod_2")
            #expect(try await stage.store.reservation(service: site.id)?.node == "nod_2")
            // Also where the node that it was on is away: it is asked where it was last seen.
            #expect(try await stage.order("resume", site.id).state == .succeeded)
        }
    }

    // MARK: what is somebody else's

    @Test(
        arguments: SiteAct.all.filter {
            !["provision", "add-domain", "remove-backup", "restore-into"].contains($0.verb)
        })
    func `a container that is somebody else's by now is left alone, and becomes a finding`(act: SiteAct) async throws {
        try await SiteScene.with(act) { scene in
            scene.stage.cluster.change { $0.belongings.guests[100]?.service = "svc_other" }
            let before = scene.stage.cluster.belongings
            let ended = try await scene.stage.finish(scene.operation)
            #expect(ended.state == (act.verb == "terminate" || act.verb == "remove-domain" ? .needsAttention : .failed))
            #expect(ended.error?.code == "foreign")
            #expect(scene.stage.cluster.belongings == before)
            let findings = try await scene.stage.store.findings(FindingFilter(service: scene.service)).items
            #expect(findings.contains { $0.kind == "service.foreign_guest" && $0.resolvedAt == nil })
        }
    }

    @Test func `one of another making is left alone as well`() async throws {
        try await SiteStage.with { stage in
            let site = try await stage.site()
            stage.cluster.change { $0.belongings.guests[100]?.nonce = "another" }
            #expect(try await stage.order("suspend", site.id).error?.code == "foreign")
            #expect(stage.cluster.belongings.guests[100]?.isRunning == true)
            // A repair takes up what is the service's by its name, and settles the finding.
            #expect(try await stage.order("repair", site.id).state == .succeeded)
            let held = try await stage.store.allocations(service: site.id)
            #expect(held.first { $0.kind == "vmid" }?.nonce == "another")
            #expect(try await stage.store.findings(FindingFilter(service: site.id, withResolved: false)).items.isEmpty)
            #expect(try await stage.order("suspend", site.id).state == .succeeded)
        }
    }

    @Test func `a container whose mark was lost gets it again where its card is the site's`() async throws {
        try await SiteStage.with { stage in
            _ = try await stage.site()
            let before = stage.cluster.belongings
            stage.cluster.change { $0.belongings.guests[100]?.service = nil }
            try await stage.lookAtMarks()
            let order = try #require(try await stage.store.unfinishedOperations().first)
            #expect(order.requestedBy == "reconciler/marks")
            #expect(try await stage.finish(order.id).state == .succeeded)
            // With the nonce of its making, which the books have.
            #expect(stage.cluster.belongings == before)
            try await stage.lookAtMarks()
            #expect(try await stage.store.findings(FindingFilter(withResolved: false)).items.isEmpty)

            stage.cluster.change { state in
                state.belongings.guests[100]?.service = nil
                state.belongings.guests[100]?.mac = "02:00:00:00:00:01"
            }
            try await stage.lookAtMarks()
            #expect(try await stage.store.unfinishedOperations().isEmpty)
            let findings = try await stage.store.findings(FindingFilter(withResolved: false)).items
            #expect(findings.map(\.kind) == ["service.foreign_guest"])
        }
    }

    // MARK: backups

    @Test func `only the service's own backups go, beyond the retention`() async throws {
        try await SiteStage.with { stage in
            let site = try await stage.site()
            let theirs = "backups:backup/vzdump-lxc-100-2026_01_01-00_00_00.tar.zst"
            stage.cluster.change { $0.belongings.backups[theirs] = .init(home: nil, memory: 1) }
            for _ in 1...3 { #expect(try await stage.order("back-up", site.id).state == .succeeded) }
            let kept = try await stage.store.backups(service: site.id)
            #expect(kept.count == 1 && kept[0].name.hasSuffix("-3.tar.zst") && kept[0].node == "nod_1")
            #expect(kept[0].sizeBytes == 1 && kept[0].cause == .demand && kept[0].verifiedAt == nil)
            #expect(stage.cluster.belongings.backups.keys.contains(theirs))
            #expect(stage.cluster.belongings.backups.count == 2)
            // Nor is a stranger's restored.
            let ended = try await stage.order("restore", site.id, ["backup": .string(theirs)])
            #expect(ended.state == .failed && ended.error?.code == "not_found")
        }
    }

    @Test func `a container that is lost comes back from its backup, and is known by its new mark`() async throws {
        try await SiteStage.with { stage in
            let site = try await stage.site()
            try await stage.order("back-up", site.id)
            stage.cluster.change { $0.belongings.guests = [:] }
            #expect(try await stage.order("repair", site.id).error?.code == "not_found")
            #expect(try await stage.order("restore", site.id).state == .succeeded)
            let guest = stage.cluster.belongings.guests[100]
            #expect(guest?.isRunning == true && guest?.service == site.id)
            #expect(try await stage.order("suspend", site.id).state == .succeeded)
        }
    }

    // MARK: upgrades

    @Test func `a plan with a smaller disk, another network or too few domains is refused`() async throws {
        try await SiteStage.with { stage in
            let site = try await stage.site()
            try await stage.order("add-domain", site.id, ["domain": "example.net"])
            _ = try await stage.operations.createPlan(
                name: "small", product: "wordpress", spec: SiteStage.plan(disk: 10), by: SiteStage.by)
            _ = try await stage.operations.createPlan(
                name: "elsewhere", product: "wordpress",
                spec: SiteStage.plan().merged(with: ["network": "other"]), by: SiteStage.by)
            for plan in ["small", "elsewhere"] {
                let error = await #expect(throws: CoreError.self) {
                    try await stage.operations.upgrade(site.id, UpgradeRequest(plan: plan), by: SiteStage.by)
                }
                #expect("\(error.map { "\($0)" } ?? "")".contains(plan == "small" ? "only grow" : "another network"))
            }
            let fewer = await #expect(throws: CoreError.self) {
                try await stage.operations.upgrade(
                    site.id, UpgradeRequest(overrides: ["domains": 0]), by: SiteStage.by)
            }
            #expect("\(fewer.map { "\($0)" } ?? "")".contains("has 1 domains of its own, and 0 would be allowed"))
        }
    }

    // MARK: domains

    @Test func `a domain goes from state to state, and says what is missing`() async throws {
        try await SiteStage.with { stage in
            let site = try await stage.site()
            func check() async throws -> DomainRecord {
                let ended = try await stage.order("check-domain", site.id, ["domain": "example.net"])
                #expect(ended.state == .succeeded, "\(ended.error?.message ?? "")")
                return try #require(try await stage.store.domains(service: site.id).first)
            }
            try await stage.order("add-domain", site.id, ["domain": "example.net"])
            var seen = try await check()
            #expect(seen.state == .awaitingProof && seen.reason.contains("_innkeeper.example.net"))
            try await stage.tellProof(site.id)
            seen = try await check()
            #expect(seen.state == .proven && seen.reason.contains("leads nowhere"))
            stage.outside.change { state in
                state.told["A example.net"] = ["203.0.113.10"]
                state.told["AAAA example.net"] = ["2001:db8::1"]
                state.told["A www.example.net"] = ["203.0.113.10"]
            }
            seen = try await check()
            #expect(seen.state == .proven && seen.reason.contains("2001:db8::1"))
            stage.outside.change { $0.told["AAAA example.net"] = nil }
            seen = try await check()
            #expect(seen.state == .active && seen.reason.isEmpty)
            #expect(try await stage.service(site.id).address["url"] == "https://example.net")
            // The proof must stand.
            stage.outside.change { $0.told["TXT _innkeeper.example.net"] = nil }
            #expect(try await check().state == .awaitingProof)
        }
    }

    @Test func `a proven domain is one service's alone, and nobody hears whose`() async throws {
        try await SiteStage.with { stage in
            let first = try await stage.site()
            let second = try await stage.site("bob@example.org", externalID: "order-2")
            #expect(try await stage.order("add-domain", first.id, ["domain": "example.net"]).state == .succeeded)
            try await stage.tellProof(first.id)
            #expect(try await stage.order("check-domain", first.id, ["domain": "example.net"]).state == .succeeded)
            let refused = try await stage.order("add-domain", second.id, ["domain": "WWW.example.net"])
            #expect(refused.state == .failed && refused.error?.code == "conflict")
            #expect(refused.error?.message.contains("example.net is in use already") == true)
            #expect(refused.error?.message.contains(first.id) == false)
            let full = try await stage.order("add-domain", first.id, ["domain": "example.com"])
            #expect(full.error?.code == "quota")
            #expect(try await stage.order("remove-domain", first.id, ["domain": "example.net"]).state == .succeeded)
            #expect(try await stage.order("add-domain", second.id, ["domain": "example.net"]).state == .succeeded)
        }
    }

    @Test func `our own zones and public suffixes are refused`() async throws {
        try await SiteStage.with { stage in
            let site = try await stage.site()
            for domain in ["sites.example.org", "bob.sites.example.org", "example.org"] {
                let ended = try await stage.order("add-domain", site.id, ["domain": .string(domain)])
                #expect(ended.error?.code == "invalid", "\(domain)")
            }
            for domain in ["co.uk", "github.io", "org", "a b.org", "-a.org", "192.0.2.1", ""] {
                await #expect(throws: CoreError.self) {
                    try await stage.operations.order(
                        "add-domain", on: site.id, parameters: ["domain": .string(domain)], by: SiteStage.by)
                }
            }
        }
    }

    // MARK: watch

    @Test func `drift is told from what a node shows`() {
        let service = ServiceRecord(
            id: "svc_1", customer: "c", plan: "p", state: .running, createdAt: Timestamp(milliseconds: 1),
            updatedAt: Timestamp(milliseconds: 1))
        var suspended = service
        suspended.state = .suspended
        let running: JSONObject = ["status": "running", "owner": "svc_1"]
        #expect(SiteDrift(of: service, reported: .seen(running)) == nil)
        #expect(SiteDrift(of: service, reported: .missing) == .missing)
        #expect(SiteDrift(of: service, reported: .seen(["status": "stopped", "owner": "svc_1"])) == .stopped)
        #expect(SiteDrift(of: service, reported: .seen(["status": "running"])) == .foreign)
        #expect(SiteDrift(of: suspended, reported: .seen(running)) == .running)
    }

    @Test func `that nothing is left is said only when it is so`() async throws {
        try await SiteStage.with { stage in
            let site = try await stage.site()
            let look = try await ServiceLook(site, name: "test", stage.dependencies)
            #expect(await WordPress.isGone(look) == false)
            stage.cluster.change { $0.belongings.guests = [:] }
            stage.outside.change { ($0.routes, $0.certificates) = ([:], []) }
            #expect(await WordPress.isGone(look) == false)
            stage.outside.change { $0.records = [:] }
            #expect(await WordPress.isGone(look))
        }
    }
}

extension SiteStage {
    /// The agents' reports of what there is, and a round of whoever looks at marks.
    fileprivate func lookAtMarks() async throws {
        clock.state.withLock { $0.milliseconds += 3_600_000 }
        for (vmid, guest) in cluster.belongings.guests {
            let state = cluster.state.withLock { $0.see(guest, vmid) }
            try await store.recordInventory(
                InventoryReport(
                    node: guest.node, driver: "proxmox", generation: 1, isFull: true,
                    items: [(resource: SitePlace.resource(vmid), state: state)]), at: clock.port.now())
        }
        try await ThingMarks(operations: operations).reconcile(dependencies)
        // What a fleet writes down of its commands: how new they were.
        for (lane, generation) in cluster.state.withLock({ $0.generations }) {
            let words = lane.split(separator: " ").map(String.init)
            _ = try await store.insertCommand(
                CommandRecord(
                    id: "\(lane) \(generation)", node: words[0], resource: words[1],
                    body: ["generation": .integer(generation)], createdAt: clock.port.now()))
        }
    }
}
