import Model
import Store
import Synchronization
import Testing
import WireProtocol

@testable import ControllerCore
@testable import HelmStoreProduct

/// How plans of shops are read, and what a shop may become.
@Suite struct StoreSpecTests {
    private static let medusa: JSONObject = ["medusa": ["repository": "registry.example.org/medusa", "tag": "2"]]

    @Test(arguments: [
        ShopStage.plan(), ShopStage.plan(["name": "shoes", "email": "jane@example.org", "title": "Shoes & more"]),
        ShopStage.plan(["chart": "oci://registry.example.org/charts/store", "chart_version": "1.0.0"]),
        ShopStage.plan(["chart": "store", "chart_repo": "https://charts.example.org/"]),
        ShopStage.plan(["zone": "localhost", "tls": false, "labels": ["a": "b"]]),
        ShopStage.plan(["engine": "medusa", "values": ["images": .object(medusa)]]),
    ]) func `the normal form reads back as itself`(_ fields: JSONObject) throws {
        let once = try StoreSpec(json: fields).json
        #expect(try StoreSpec(json: once).json == once)
        try SchemaCheck().check(once, HelmStore.specification.schema, "spec")
    }

    @Test(
        arguments: [
            (["engine": "magento"], "spec.engine"), (["name": "Shoes"], "spec.name"), (["name": "1a"], "spec.name"),
            (["name": .string(String(repeating: "a", count: 47))], "spec.name"), (["email": "x"], "spec.email"),
            (["zone": "-x.example.org"], "spec.zone"), (["chart": "--help"], "spec.chart"),
            (["chart": "store"], "spec.chart_repo"),
            (["chart_repo": "https://charts.example.org"], "spec.chart_repo"), (["files_gib": 0], "spec.files_gib"),
            (["backups": ["retention": -1]], "spec.backups.retention"), (["ready": ["poll_s": 0]], "spec.ready.poll_s"),
            (["values": ["host": "x"]], "spec.values.host"),
            (["environment_values": ["mode": "x"]], "spec.environment_values.mode"),
            (["engine": "medusa"], "spec.values.images.medusa.repository"), (["on_failure": "cry"], "spec.on_failure"),
            (["title": "a\nb"], "spec.title"), (["colour": "red"], "spec.colour"),
        ] as [(JSONObject, String)]) func `what is wrong is named`(_ fields: JSONObject, _ field: String)
    {
        let error = #expect(throws: CoreError.self) { try StoreSpec(json: ShopStage.plan().merged(with: fields)) }
        #expect("\(error.map { "\($0)" } ?? "")".contains(field), "\(error.map { "\($0)" } ?? "")")
    }

    @Test func `a plan with less room for files, or elsewhere, is refused`() async throws {
        try await ShopStage.with { stage in
            let shop = try await stage.shop()
            for (plan, word) in [("smaller", "only grows"), ("elsewhere", "another zone")] {
                let error = await #expect(throws: CoreError.self) {
                    try await stage.operations.upgrade(shop.id, UpgradeRequest(plan: plan), by: ShopStage.by)
                }
                #expect("\(error.map { "\($0)" } ?? "")".contains(word))
            }
        }
    }

    @Test func `a name that another shop has is refused, and is free when that is gone`() async throws {
        try await ShopStage.with { stage in
            let first = try await stage.shop()
            let second = try await stage.create(externalID: "order-2")
            let refused = try await stage.finish(second.operation.id)
            #expect(
                refused.state == .failed && refused.error?.message.contains("the name shoes is another shop's") == true)
            #expect(try await stage.order("terminate", first.id).state == .succeeded)
            let again = try await stage.operations.retry(second.service.id, by: ShopStage.by)
            #expect(try await stage.finish(again.operation.id).state == .succeeded)
        }
    }

    @Test func `a shop that does not come up says so in the end, and asks in between`() async throws {
        try await ShopStage.with { stage in
            stage.cluster.change { $0.problems = ["pod/web: web: ErrImagePull: no such image"] }
            let made = try await stage.create(plan: "keeping")
            let started = stage.clock.state.withLock { $0.milliseconds }
            let failed = try await stage.finish(made.operation.id)
            #expect(failed.error?.code == "timed_out")
            #expect(
                failed.error?.message.contains("an image of the shop cannot be fetched: not ready within 600 s") == true
            )
            let waited = stage.clock.state.withLock { $0.milliseconds } - started
            #expect((600_000...620_000).contains(waited))
            let looks = stage.cluster.state.withLock { $0.calls.count { $0.action == "release.ready" } }
            #expect((120...122).contains(looks))
        }
    }

    @Test func `what the operator says for this environment lies over what he says for all`() throws {
        let spec = try StoreSpec(
            json: ShopStage.plan([
                "values": ["ingress": ["className": "nginx"], "tls": ["issuer": "a"]],
                "environment_values": ["tls": ["issuer": "b"]], "tls": true, "version": "9.9.5",
            ]))
        let values = spec.values(
            of: StorePlace(node: "n", id: "shoes-abc", host: "shoes.example.org"), .running, nil, "1")
        #expect(values["tls"] == ["issuer": "b"] && values["ingress"] == ["className": "nginx"])
        #expect(values["woocommerce"] == ["version": "9.9.5"])
    }
}
