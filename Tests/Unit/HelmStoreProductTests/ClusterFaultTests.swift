import Model
import Store
import Synchronization
import Testing
import WireProtocol

@testable import ControllerCore
@testable import HelmStoreProduct

/// What goes wrong with a shop that is there, in an emulated cluster behind the node's real driver.
@Suite struct ClusterFaultTests {
    private func with(
        _ settings: JSONObject = [:], plan: JSONObject = [:], patience: Duration = .seconds(30),
        _ body: (EmulatedCluster, ShopStage) async throws -> Void
    ) async throws {
        let cluster = try await EmulatedCluster(settings, patience: patience)
        try await ShopStage.with(cluster.port) { stage in
            let base: JSONObject = ["chart": cluster.chart, "on_failure": "keep", "ready": ["timeout_s": 3600]]
            _ = try await stage.operations.createPlan(
                name: "real", product: "store", spec: ShopStage.plan(base).merged(with: plan), by: ShopStage.by)
            try await body(cluster, stage)
        }
    }

    private func images(_ cluster: EmulatedCluster) throws -> [String] {
        try cluster.objects("Pod").compactMap { $0["spec"]?["containers"]?.asArray?.first?["image"]?.asString }
    }

    // MARK: a cluster that goes away half-way

    @Test(
        arguments: ["suspend", "back-up", "repair"],
        [["away": ["helm upgrade": "before"]], ["away": ["helm upgrade": "pending"]], ["die": ["helm upgrade": 9]]]
            as [JSONObject])
    func `it goes away in the middle of a change, and what was begun ends well when it is back, or is taken back`(
        _ verb: String, _ settings: JSONObject
    ) async throws {
        try await with { cluster, stage in
            let shop = try await stage.shop(plan: "real")
            try cluster.set(settings)
            cluster.onFailure { cluster in try cluster.set([:]) }
            let first = try await stage.order(verb, shop.id)
            // Nobody is at work on it any more; what hangs is freed by whoever comes next.
            if first.state != .succeeded { #expect(try await stage.order("repair", shop.id).state == .succeeded) }
            let state = try await stage.service(shop.id).state
            #expect(state == .running || state == .suspended && verb == "suspend", "\(state) \(cluster.told)")
            #expect(try images(cluster).isEmpty == (state == .suspended))
            #expect(try await stage.order("terminate", shop.id).state == .succeeded)
            #expect(try cluster.namespaces().isEmpty)
        }
    }

    @Test(
        arguments: [
            ["away": ["helm uninstall": "pending"]], ["die": ["helm uninstall": 9]],
            ["away": ["kubectl delete": "pending"]], ["refusing": 6], ["undeletable": 1],
        ] as [JSONObject])
    func `it goes away in the middle of a removal, and in the end nothing is left`(_ settings: JSONObject) async throws
    {
        try await with { cluster, stage in
            let shop = try await stage.shop(plan: "real")
            try cluster.set(settings)
            try cluster.change { $0["refused"] = 0 }
            if settings["away"] != nil || settings["die"] != nil {
                cluster.onFailure { cluster in try cluster.set([:]) }
            }
            var ended = try await stage.order("terminate", shop.id)
            if ended.state == .needsAttention { ended = try await stage.order("terminate", shop.id) }
            #expect(ended.state == .succeeded, "\(ended.error?.message ?? "") \(cluster.told)")
            #expect(try cluster.namespaces().isEmpty)
            #expect(try await stage.store.allocations(service: shop.id).isEmpty)
        }
    }

    @Test func `one that answers too slowly to be waited for is named as the reason`() async throws {
        try await with(plan: ["ready": ["timeout_s": 30]], patience: .seconds(3)) { cluster, stage in
            try cluster.set(["slow": 5000])
            let made = try await stage.create(plan: "real")
            let failed = try await stage.finish(made.operation.id)
            let said = failed.error?.message ?? ""
            #expect(failed.state == .failed && said.contains("did not answer in time"), "\(said)")
            #expect(said.contains("the cluster does not answer"), "\(said)")
            try cluster.set([:])
            let again = try await stage.operations.retry(made.service.id, by: ShopStage.by)
            #expect(try await stage.finish(again.operation.id).state == .succeeded)
        }
    }

    // MARK: names that are still in use

    @Test func `a namespace that is still being removed is named, and taken when it has gone`() async throws {
        try await with(plan: ["ready": ["timeout_s": 30]]) { cluster, stage in
            try cluster.set(["images": ["wordpress": "ImagePullBackOff"]])
            let made = try await stage.create(plan: "real")
            #expect(try await stage.finish(made.operation.id).state == .failed)
            // Somebody removes it by hand, and a kind whose server is gone keeps it.
            try cluster.set(["keeps": "content"])
            let namespace = try #require(try cluster.namespaces().first)
            try cluster.change { state in
                var spaces = state["namespaces"]?.asObject ?? [:]
                var space = spaces[namespace]?.asObject ?? [:]
                space["ends"] = 1
                spaces[namespace] = .object(space)
                state["namespaces"] = .object(spaces)
            }
            let stuck = try await stage.operations.retry(made.service.id, by: ShopStage.by)
            let failed = try await stage.finish(stuck.operation.id)
            let said = failed.error?.message ?? ""
            #expect(
                failed.state == .failed && said.contains("still being removed") && said.contains("Discovery failed"),
                "\(said)")
            try cluster.set([:])
            let again = try await stage.operations.retry(made.service.id, by: ShopStage.by)
            let ended = try await stage.finish(again.operation.id)
            #expect(ended.state == .succeeded, "\(ended.error?.message ?? "")")
        }
    }

    // MARK: upgrades

    struct Upgrade: Sendable, CustomTestStringConvertible {
        var settings: JSONObject
        var overrides: JSONObject
        var reason: String
        var testDescription: String { reason }
    }

    static let upgrades = [
        Upgrade(
            settings: ["images": ["wordpress:9": "ImagePullBackOff"]],
            overrides: ["values": ["images": ["wordpress": ["tag": "9"]]]],
            reason: "an image of the shop cannot be fetched"),
        Upgrade(
            settings: ["jobs": ["setup": "Failed"]], overrides: ["version": "9.9.5"],
            reason: "the work that sets the shop up has failed"),
        Upgrade(
            settings: ["quota": ["requests.storage": "24Gi"]],
            overrides: ["backups": ["retention": 9, "size_gib": 60]],
            reason: "the shop needs more than its plan allows in the cluster"),
        Upgrade(
            settings: [:], overrides: ["values": ["colour": "red"]],
            reason: "the chart does not take what the plan tells it"),
    ]

    @Test(arguments: upgrades) func `one that fails says why, and the shop is what it was`(_ upgrade: Upgrade)
        async throws
    {
        try await with(plan: ["ready": ["timeout_s": 30], "backups": ["retention": 0]]) { cluster, stage in
            let shop = try await stage.shop(plan: "real")
            let (before, spec) = (try images(cluster).sorted(), shop.spec)
            try cluster.set(upgrade.settings)
            let ordered = try await stage.operations.upgrade(
                shop.id, UpgradeRequest(overrides: upgrade.overrides), by: ShopStage.by)
            let failed = try await stage.finish(ordered.operation.id)
            let said = failed.error?.message ?? ""
            #expect(failed.state == .failed && said.contains(upgrade.reason), "\(failed.state) \(said)")
            let after = try await stage.service(shop.id)
            #expect(after.state == .running && after.spec == spec)
            try cluster.set([:])
            let now = Set(try images(cluster))
            #expect(now.isSubset(of: before) && !now.isEmpty)
            #expect(try await stage.order("repair", shop.id).state == .succeeded)
        }
    }

    @Test func `another chart's version is taken up, and taken back where it does not come up`() async throws {
        try await with(plan: ["ready": ["timeout_s": 30]]) { cluster, stage in
            let shop = try await stage.shop(plan: "real")
            let missing = try await stage.operations.upgrade(
                shop.id, UpgradeRequest(overrides: ["chart_version": "7.0.0"]), by: ShopStage.by)
            let failed = try await stage.finish(missing.operation.id)
            let said = failed.error?.message ?? ""
            #expect(failed.state == .failed && said.contains("of version 1.0.0, not 7.0.0"), "\(said)")
            let there = try await stage.operations.upgrade(
                shop.id, UpgradeRequest(overrides: ["chart_version": "1.0.0"]), by: ShopStage.by)
            #expect(try await stage.finish(there.operation.id).state == .succeeded)
            #expect(try await stage.service(shop.id).observed["chart"] == "store-1.0.0")
        }
    }

    @Test func `a chart that the node does not have is named`() async throws {
        try await with(plan: ["chart": "/usr/share/nothing"]) { _, stage in
            let made = try await stage.create(plan: "real")
            let failed = try await stage.finish(made.operation.id)
            #expect(failed.state == .failed && failed.error?.message.isEmpty == false)
        }
    }

    // MARK: backups

    @Test func `a backup that fails says so, is on no list, and leaves the shop alone`() async throws {
        try await with { cluster, stage in
            let shop = try await stage.shop(plan: "real")
            try cluster.set(["jobs": ["backup": "Failed"]])
            let failed = try await stage.order("back-up", shop.id)
            let said = failed.error?.message ?? ""
            #expect(failed.state == .failed && said.contains("the shop could not be backed up"), "\(said)")
            #expect(try await stage.store.backups(service: shop.id).isEmpty)
            #expect(try await stage.service(shop.id).state == .running)
            #expect(
                try !cluster.objects("Job").contains { $0["metadata"]?["name"]?.asString?.hasPrefix("backup") == true })
            try cluster.set([:])
            #expect(try await stage.order("back-up", shop.id).state == .succeeded)
            #expect(try await stage.store.backups(service: shop.id).count == 1)
        }
    }

    @Test func `a restoration that fails says so, and can be made again`() async throws {
        try await with { cluster, stage in
            let shop = try await stage.shop(plan: "real")
            #expect(try await stage.order("back-up", shop.id).state == .succeeded)
            try cluster.set(["jobs": ["restore": "Failed"]])
            let failed = try await stage.order("restore", shop.id)
            let said = failed.error?.message ?? ""
            #expect(failed.state == .failed && said.contains("the backup could not be put back"), "\(said)")
            #expect(try await stage.service(shop.id).state == .failed)
            try cluster.set([:])
            let again = try await stage.order("restore", shop.id)
            #expect(again.state == .succeeded, "\(again.error?.message ?? "")")
            #expect(try await stage.service(shop.id).state == .running)
        }
    }

    @Test func `a suspended shop is backed up, restored and its backups removed, and sleeps on`() async throws {
        try await with { cluster, stage in
            let shop = try await stage.shop(plan: "real")
            #expect(try await stage.order("suspend", shop.id).state == .succeeded)
            for _ in 1...3 {
                stage.clock.state.withLock { $0.milliseconds += 60_000 }
                let made = try await stage.order("back-up", shop.id)
                #expect(made.state == .succeeded, "\(made.error?.message ?? "")")
                #expect(try images(cluster).isEmpty)
            }
            let kept = try await stage.store.backups(service: shop.id)
            let there = Set(try cluster.backups().keys)
            #expect(kept.count == 2 && there == Set(kept.map(\.name)))
            let restored = try await stage.order("restore", shop.id, ["backup": .string(kept[0].name)])
            #expect(restored.state == .succeeded, "\(restored.error?.message ?? "")")
            let removed = try await stage.order("remove-backup", shop.id, ["backup": .string(kept[0].id)])
            #expect(removed.state == .succeeded, "\(removed.error?.message ?? "")")
            #expect(try cluster.backups().keys == [kept[1].name])
            #expect(try images(cluster).isEmpty)
            #expect(try await stage.service(shop.id).state == .suspended)
        }
    }
}
