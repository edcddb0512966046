import Model
import Store
import Testing
import WireProtocol

@testable import ContainerProduct
@testable import ControllerCore

@Suite struct `An upgrade to another plan` {
    private static let base: JSONObject = [
        "image": "shop:1", "memory_bytes": 67_108_864, "cpu_millis": 100, "disk_bytes": 104_857_600,
        "env": ["MODE": "live"], "command": ["serve"], "labels": ["tier": "small", "team": "a"],
    ]

    private static func spec(_ changes: JSONObject, over base: JSONObject = base) throws -> ContainerSpec {
        try ContainerSpec(json: base.merged(with: changes))
    }

    @Test(
        arguments: [
            ("command", ["command": ["other"]]), ("env", ["env": ["MODE": "test"]]), ("image", ["image": "shop:2"]),
            ("mount_path", ["mount_path": "/srv"]), ("network", ["network": "host"]), ("pool", ["pool": "fast"]),
            ("placement.labels", ["placement": ["labels": ["zone": "a"]]]),
        ] as [(String, JSONObject)])
    func `is refused by name where it would take another container`(field: String, change: JSONObject) throws {
        let present = try Self.spec([:])
        let error = #expect(throws: CoreError.self) {
            try present.grown(from: Self.base, to: Self.base.merged(with: change), overrides: [:])
        }
        #expect(error?.description.contains("another \(field),") == true)
    }

    @Test func `takes over all that can be had without one`() throws {
        let changes: JSONObject = [
            "memory_bytes": 134_217_728, "image_tar": "/srv/shop.tar", "repair": true,
            "placement": ["strategy": "pack"], "labels": ["tier": "large"],
        ]
        let grown = try Self.spec([:]).grown(from: Self.base, to: Self.base.merged(with: changes), overrides: [:])
        #expect(grown == (try Self.spec(changes)))
    }

    @Test func `leaves alone what the service was given beside its plan`() throws {
        let own = try Self.spec(["env": ["EXTRA": "1"], "command": ["mine"], "repair": true, "labels": ["shop": "7"]])
        var plan = Self.base.merged(with: ["memory_bytes": 134_217_728])
        plan["labels"] = ["tier": "large"]
        let grown = try own.grown(from: Self.base, to: plan, overrides: [:])
        #expect(grown.memoryBytes == 134_217_728)
        #expect(grown.environment == own.environment && grown.command == ["mine"] && grown.repairs)
        #expect(grown.labels == ["tier": "large", "shop": "7"])
    }

    @Test func `is recorded as what the service is`() async throws {
        try await Stage.with { stage in
            var plan = Stage.plan(memory: 256, disk: 512)
            plan["repair"] = true
            _ = try await stage.operations.createPlan(name: "kept", spec: plan, by: Stage.by)
            plan["command"] = ["other"]
            _ = try await stage.operations.createPlan(name: "other", spec: plan, by: Stage.by)
            let service = try await stage.provision()
            await #expect(throws: CoreError.self) {
                try await stage.operations.upgrade(service.id, UpgradeRequest(plan: "other"), by: Stage.by)
            }
            let order = try await stage.operations.upgrade(service.id, UpgradeRequest(plan: "kept"), by: Stage.by)
            #expect(try await stage.finish(order.operation.id).state == .succeeded)
            let after = try await stage.service(service.id)
            #expect(after.plan == "kept" && after.spec["repair"] == true && after.spec["command"] == nil)
        }
    }
}
