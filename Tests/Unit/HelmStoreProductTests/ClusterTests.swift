import DriverKit
import HelmDriver
import Model
import Store
import Testing
import WireProtocol

@testable import ControllerCore
@testable import HelmStoreProduct

/// Shops in an emulated cluster, with the node's real driver between, when all goes well and when it does not.
@Suite struct ClusterTests {
    private func with(
        _ settings: JSONObject = [:], plan: JSONObject = [:], patience: Duration = .seconds(30),
        _ body: (EmulatedCluster, ShopStage) async throws -> Void
    ) async throws {
        let cluster = try await EmulatedCluster(settings, patience: patience)
        try await ShopStage.with(cluster.port) { stage in
            let base: JSONObject = ["chart": cluster.chart, "on_failure": "keep", "ready": ["timeout_s": 30]]
            _ = try await stage.operations.createPlan(
                name: "real", product: "store", spec: ShopStage.plan(base).merged(with: plan), by: ShopStage.by)
            try await body(cluster, stage)
        }
    }

    private static let patient: JSONObject = ["ready": ["timeout_s": 3600]]

    // MARK: when all goes well

    @Test func `a shop comes, sleeps, wakes, is backed up, restored, upgraded, and goes without a trace`() async throws
    {
        try await with(plan: Self.patient) { cluster, stage in
            let shop = try await stage.shop(plan: "real")
            #expect(shop.address["url"] == "https://shoes.shops.example.org")
            let namespace = try #require(shop.address["namespace"]?.asString)
            #expect(try cluster.namespaces() == [namespace] && namespace.hasPrefix("store-shoes-"))
            let labels = try cluster.state()["namespaces"]?[namespace]?["metadata"]?["labels"]
            #expect(labels?["innkeeper.service"] == .string(shop.id))
            let secret = try cluster.objects("Secret").first?["stringData"]
            #expect(try await stage.order("suspend", shop.id).state == .succeeded)
            #expect(try cluster.objects("Pod").isEmpty && cluster.objects("Job").isEmpty)
            #expect(try cluster.objects("PersistentVolumeClaim").count == 3)
            #expect(try await stage.order("resume", shop.id).state == .succeeded)
            let backup = try await stage.order("back-up", shop.id)
            #expect(backup.state == .succeeded, "\(backup.error?.message ?? "")")
            // What is on the books lies in the claim, with the size that its job has told.
            let kept = try await stage.store.backups(service: shop.id)
            #expect(kept.count == 1 && kept.first?.sizeBytes == 4097)
            #expect(try cluster.backups().keys == kept.map(\.name))
            let restored = try await stage.order("restore", shop.id)
            #expect(restored.state == .succeeded, "\(restored.error?.message ?? "")")
            let upgrade = try await stage.operations.upgrade(
                shop.id, UpgradeRequest(overrides: ["version": "9.9.5", "files_gib": 9]), by: ShopStage.by)
            let upgraded = try await stage.finish(upgrade.operation.id)
            #expect(upgraded.state == .succeeded, "\(upgraded.error?.message ?? "")")
            let claims = try cluster.objects("PersistentVolumeClaim").map { $0["spec"]?["resources"]?["requests"] }
            #expect(claims.contains(["storage": "9Gi"]))
            // Passwords are those of the first day.
            #expect(try cluster.objects("Secret").first?["stringData"] == secret && secret != nil)
            #expect(try await stage.order("repair", shop.id).state == .succeeded)
            #expect(try await stage.order("terminate", shop.id).state == .succeeded)
            #expect(try cluster.namespaces().isEmpty)
            #expect(try await stage.store.allocations(service: shop.id).isEmpty)
        }
    }

    @Test func `a shop of Medusa runs the operator's image`() async throws {
        let image: JSONObject = ["medusa": ["repository": "registry.example.org/medusa", "tag": "2.8"]]
        let plan: JSONObject = ["engine": "medusa", "values": ["images": .object(image)]]
        try await with(plan: plan.merged(with: Self.patient)) { cluster, stage in
            let shop = try await stage.shop(plan: "real")
            let images = try cluster.objects("Pod").compactMap {
                $0["spec"]?["containers"]?.asArray?.first?["image"]?.asString
            }
            #expect(images.filter { $0 == "registry.example.org/medusa:2.8" }.count == 2 && images.count == 4)
            #expect(try await stage.order("terminate", shop.id).state == .succeeded)
        }
    }

    // MARK: what goes wrong, and what a shop's owner reads

    struct Trouble: Sendable, CustomTestStringConvertible {
        var settings: JSONObject
        var reason: String
        /// The cluster's own words.
        var words: String
        var testDescription: String { reason }
    }

    static let troubles = [
        Trouble(
            settings: ["images": ["wordpress": "ImagePullBackOff"]], reason: "an image of the shop cannot be fetched",
            words: "Back-off pulling image"),
        Trouble(
            settings: ["jobs": ["setup": "Failed"]], reason: "the work that sets the shop up has failed",
            words: "BackoffLimitExceeded"),
        Trouble(
            settings: ["quota": ["limits.memory": "256Mi"]],
            reason: "the shop needs more than its plan allows in the cluster", words: "exceeded quota"),
        Trouble(
            settings: ["quota": ["requests.storage": "6Gi"]],
            reason: "the shop needs more than its plan allows in the cluster", words: "requests.storage"),
        Trouble(
            settings: ["pods": "Pending"], reason: "no machine of the cluster has room for the shop",
            words: "Insufficient memory"),
        Trouble(
            settings: ["address": false], reason: "the cluster's ingress has not taken the shop up",
            words: "has no address"),
        Trouble(
            settings: ["storage": false], reason: "the cluster gives the shop no storage",
            words: "is not bound to a volume"),
        Trouble(
            settings: ["images": ["mariadb": "OOMKilled"]],
            reason: "the shop needs more memory than its plan gives it", words: "OOMKilled (137)"),
        Trouble(
            settings: ["images": ["mariadb": "CrashLoopBackOff"]], reason: "the shop starts and ends again",
            words: "back-off"),
        Trouble(
            settings: ["refusing": 100_000], reason: "the cluster does not answer", words: "too many requests"),
        Trouble(
            settings: ["refusing": 100_000, "refusal_text": "etcdserver: request timed out (ServiceUnavailable)"],
            reason: "the cluster does not answer", words: "ServiceUnavailable"),
        Trouble(settings: ["cluster": false], reason: "the cluster does not answer", words: "refused"),
    ]

    /// Nothing could be made, since nobody took an order.
    private static func isSilent(_ trouble: Trouble) -> Bool {
        trouble.settings["cluster"] == false || trouble.settings["refusing"] != nil
    }

    @Test(arguments: troubles) func `it says why, keeps what is there, and another try takes it up`(_ trouble: Trouble)
        async throws
    {
        try await with(trouble.settings) { cluster, stage in
            let made = try await stage.create(plan: "real")
            let failed = try await stage.finish(made.operation.id)
            #expect(failed.state == .failed)
            let said = failed.error?.message ?? ""
            #expect(said.contains(trouble.reason) && said.contains(trouble.words), "\(said)")
            #expect(try await stage.service(made.service.id).state == .failed)
            let there = try cluster.namespaces()
            let held = try await stage.store.allocations(service: made.service.id).map(\.value)
            #expect(!held.isEmpty && there.count == (Self.isSilent(trouble) ? 0 : 1))
            let secret = try cluster.objects("Secret").first?["stringData"]
            try cluster.set([:])
            let again = try await stage.operations.retry(made.service.id, by: ShopStage.by)
            let ended = try await stage.finish(again.operation.id)
            #expect(ended.state == .succeeded, "\(ended.error?.message ?? "")")
            #expect(try await stage.store.allocations(service: made.service.id).map(\.value) == held)
            if let secret { #expect(try cluster.objects("Secret").first?["stringData"] == secret) }
        }
    }

    @Test(arguments: troubles.prefix(2))
    func `a plan that unwinds leaves nothing of what failed`(_ trouble: Trouble) async throws {
        try await with(trouble.settings, plan: ["on_failure": "unwind"]) { cluster, stage in
            let made = try await stage.create(plan: "real")
            let failed = try await stage.finish(made.operation.id)
            #expect(failed.state == .failed && failed.error?.message.contains(trouble.reason) == true)
            #expect(try cluster.namespaces().isEmpty)
            #expect(try await stage.store.allocations(service: made.service.id).isEmpty)
        }
    }

    // MARK: what passes by itself

    @Test(
        arguments: [
            ["refusing": 3],
            ["refusing": 2, "refusal_text": "an error on the server was returned (InternalError)"], ["slow": 20],
            ["die": ["helm upgrade": 9]], ["away": ["helm upgrade": "pending"]], ["away": ["helm upgrade": "objects"]],
            ["away": ["helm upgrade": "before"]], ["away": ["kubectl create": "made"]],
        ] as [JSONObject])
    func `a cluster that falters for a while does not matter in the end`(_ settings: JSONObject) async throws {
        try await with(settings, plan: Self.patient) { cluster, stage in
            let isPassing = settings["refusing"] == nil && settings["slow"] == nil
            // It is back when somebody has noticed.
            if isPassing { cluster.onFailure { cluster in try cluster.set([:]) } }
            let made = try await stage.create(plan: "real")
            let ended = try await stage.finish(made.operation.id)
            #expect(ended.state == .succeeded, "\(ended.error?.message ?? "") \(cluster.told)")
            #expect(try cluster.namespaces().count == 1)
        }
    }

    // MARK: what is somebody else's

    @Test(arguments: [true, false]) func `a namespace or a release that is not ours is left alone`(isWhole: Bool)
        async throws
    {
        try await with { cluster, stage in
            cluster.beforeAction { cluster, call in
                guard call.action == (isWhole ? "namespace.ensure" : "release.install") else { return }
                let name = call.arguments["namespace"]?.asString ?? ""
                try cluster.change { state in
                    var spaces = state["namespaces"]?.asObject ?? [:]
                    spaces[name] = ["objects": [], "metadata": ["name": .string(name), "labels": ["team": "web"]]]
                    state["namespaces"] = .object(spaces)
                }
            }
            let made = try await stage.create(plan: "real")
            let failed = try await stage.finish(made.operation.id)
            #expect(failed.state == .failed && failed.error?.code == "foreign", "\(failed.error?.message ?? "")")
            cluster.beforeAction(nil)
            let before = try cluster.state()["namespaces"]
            // What never became ours goes from the books, and the stranger's stays.
            #expect(try await stage.order("terminate", made.service.id).state == .succeeded)
            #expect(try cluster.state()["namespaces"] == before)
        }
    }

    @Test func `an object in the way is named, and stays`() async throws {
        try await with { cluster, stage in
            cluster.beforeAction { cluster, call in
                guard call.action == "release.install" else { return }
                let name = call.arguments["namespace"]?.asString ?? ""
                try cluster.change { state in
                    var spaces = state["namespaces"]?.asObject ?? [:]
                    var space = spaces[name]?.asObject ?? [:]
                    let theirs: JSONValue = [
                        "kind": "Service", "metadata": ["name": "web", "uid": "uid-x", "labels": [:]], "spec": [:],
                        "made": 0, "real": true,
                    ]
                    space["objects"] = .array((space["objects"]?.asArray ?? []) + [theirs])
                    spaces[name] = .object(space)
                    state["namespaces"] = .object(spaces)
                }
            }
            let made = try await stage.create(plan: "real")
            let failed = try await stage.finish(made.operation.id)
            let said = failed.error?.message ?? ""
            #expect(
                said.contains("something that is not the shop's is in its place") && said.contains("web"), "\(said)")
        }
    }

    // MARK: removal

    @Test(arguments: [("claims", "claims that stay: "), ("content", "Discovery failed")])
    func `a namespace that withstands its removal needs attention, and goes when it is asked again`(
        _ what: String, _ reason: String
    ) async throws {
        try await with(plan: Self.patient) { cluster, stage in
            let shop = try await stage.shop(plan: "real")
            try cluster.set(["keeps": .string(what)])
            let stuck = try await stage.order("terminate", shop.id)
            #expect(stuck.state == .needsAttention)
            #expect(stuck.error?.message.contains(reason) == true, "\(stuck.error?.message ?? "")")
            // Its names are nobody else's yet.
            #expect(try await stage.store.allocations(service: shop.id).count == 2)
            try cluster.set([:])
            #expect(try await stage.order("terminate", shop.id).state == .succeeded)
            #expect(try cluster.namespaces().isEmpty)
        }
    }

    @Test func `a release that somebody has left pending is healed`() async throws {
        try await with(plan: Self.patient) { cluster, stage in
            let shop = try await stage.shop(plan: "real")
            let namespace = try #require(shop.address["namespace"]?.asString)
            try cluster.change { state in
                var records = state["records"]?.asObject ?? [:]
                var space = records[namespace]?.asObject ?? [:]
                let name = space.keys.first ?? ""
                var history = space[name]?.asArray ?? []
                var last = history.last?.asObject ?? [:]
                (last["status"], last["revision"]) = ("pending-upgrade", 2)
                history.append(.object(last))
                space[name] = .array(history)
                records[namespace] = .object(space)
                state["records"] = .object(records)
            }
            #expect(try await stage.order("suspend", shop.id).error?.code == "busy")
            let repaired = try await stage.order("repair", shop.id)
            #expect(repaired.state == .succeeded, "\(repaired.error?.message ?? "")")
            #expect(try await stage.order("suspend", shop.id).state == .succeeded)
        }
    }
}
