import Placement
import Testing
import WireProtocol

@testable import ContainerProduct
@testable import ControllerCore

@Suite struct ContainerSpecTests {
    static let full: JSONObject = [
        "driver": "docker", "image": "shop:1", "memory_bytes": 6_291_456, "cpu_millis": 10, "disk_bytes": 1_048_576,
        "network": "bridge", "mount_path": "/srv/data", "placement": ["strategy": "pack", "labels": ["zone": "a"]],
        "repair": true, "image_tar": "/var/lib/shop.tar", "command": ["/bin/shop", "-v"], "env": ["A": "b"],
        "pool": "tank", "labels": ["tier": "1"],
    ]

    @Test func `a specification is written as it was read`() throws {
        let spec = try ContainerSpec(json: Self.full)
        #expect(spec.json == Self.full)
        #expect(try ContainerSpec(json: spec.json) == spec)
    }

    @Test(
        arguments: [
            ("driver", "helm", "spec.driver"), ("image", "-x", "spec.image"), ("image", 3, "spec.image"),
            ("memory_bytes", 6_291_455, "spec.memory_bytes"), ("memory_bytes", "64MiB", "spec.memory_bytes"),
            ("cpu_millis", 0, "spec.cpu_millis"), ("disk_bytes", -1, "spec.disk_bytes"),
            ("disk_bytes", 9_223_372_036_854_775_807, "spec.disk_bytes"), ("mount_path", "/", "spec.mount_path"),
            ("mount_path", "/a/../b", "spec.mount_path"), ("image_tar", "shop.tar", "spec.image_tar"),
            ("pool", "mirror", "spec.pool"), ("network", "a b", "spec.network"), ("colour", "red", "spec.colour"),
            ("command", ["ok", 1], "spec.command[1]"), ("env", ["A=B": "c"], "spec.env.A=B"),
            ("env", ["A": 1], "spec.env.A"), ("labels", ["": "x"], "spec.labels."),
            ("placement", ["strategy": "random"], "spec.placement.strategy"),
            ("placement", ["where": "there"], "spec.placement.where"),
            ("placement", ["labels": ["zone": "a b"]], "spec.placement.labels.zone"), ("repair", "yes", "spec.repair"),
        ] as [(String, JSONValue, String)])
    func `a wrong value is named by its field`(key: String, value: JSONValue, field: String) {
        var json = Self.full
        json[key] = value
        do {
            _ = try ContainerSpec(json: json)
            Issue.record("\(field) was taken")
        } catch {
            guard case .invalid(let named, let problem) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(named == field)
            #expect(problem.hasPrefix("must be") || problem.hasPrefix("is "))
        }
    }

    @Test func `overrides replace amounts and merge the environment`() throws {
        let spec = try ContainerSpec(json: Self.full)
        let other = try spec.overridden(by: [
            "memory_bytes": 7_000_000, "env": ["C": "d"], "placement": ["strategy": "spread"],
        ])
        #expect(other.memoryBytes == 7_000_000)
        #expect(other.environment == ["A": "b", "C": "d"])
        #expect(other.strategy == .spread && other.nodeLabels == ["zone": "a"])
        #expect(throws: CoreError.invalid(field: "overrides.pool", problem: "cannot be overridden")) {
            try Container.product.specification.order(
                spec.json, overrides: ["pool": "x"], labels: [:], isCustomers: false)
        }
    }
}
