import DriverKit
import TestSupport
import Testing
import WireProtocol

@testable import ProxmoxDriver

@Suite struct SnapshotTests {
    private func node() async throws -> EmulatedNode {
        let node = try await EmulatedNode()
        try await node.create(101, ["rootfs": ["storage": "labzfs", "size_gib": 1]])
        return node
    }

    @Test func `made, listed, gone back to and removed, each twice`() async throws {
        let node = try await node()
        for name in ["first", "second"] {
            #expect(try await node.perform("snapshot.ensure", ["snapshot": .string(name)]).changed)
            #expect(try await !node.perform("snapshot.ensure", ["snapshot": .string(name)]).changed)
        }
        let listed = try await node.perform("snapshot.list").observed
        #expect(listed["snapshots"]?.asArray?.compactMap { $0["snapshot"]?.asString } == ["first", "second"])
        #expect(listed["current"] == "second")
        let older = await #expect(throws: DriverError.self) {
            try await node.perform("snapshot.rollback", ["snapshot": "first"])
        }
        #expect(older?.code == .conflict)
        #expect(try await node.perform("snapshot.rollback", ["snapshot": "second"]).observed["parent"] == "second")
        #expect(try await node.perform("snapshot.destroy", ["snapshot": "second"]).changed)
        #expect(try await !node.perform("snapshot.destroy", ["snapshot": "second"]).changed)
    }

    @Test func `going back stops what runs, and starts it again where asked`() async throws {
        let node = try await node()
        try await node.perform("container.start")
        try await node.perform("snapshot.ensure", ["snapshot": "first"])
        let stopped = try await node.perform("snapshot.rollback", ["snapshot": "first"])
        #expect(stopped.observed["status"] == "stopped")
        let started = try await node.perform("snapshot.rollback", ["snapshot": "first", "start": true])
        #expect(started.observed["status"] == "running")
    }

    @Test func `a storage that cannot, a name that is none and a snapshot that is not there are told`() async throws {
        let node = try await EmulatedNode()
        try await node.create()
        let cases: [(String, JSONObject, DriverErrorCode)] = [
            ("snapshot.ensure", ["snapshot": "first"], .unsupported),
            ("snapshot.ensure", ["snapshot": "current"], .invalidArgument),
            ("snapshot.ensure", ["snapshot": "x"], .invalidArgument),
            ("snapshot.ensure", ["snapshot": "--force"], .invalidArgument),
            ("snapshot.rollback", ["snapshot": "first"], .notFound),
        ]
        for (operation, arguments, code) in cases {
            let error = await #expect(throws: DriverError.self) { try await node.perform(operation, arguments) }
            #expect(error?.code == code)
        }
    }

    @Test func `a half-made snapshot is neither taken for one nor gone back to, and goes by force`() async throws {
        let node = try await node()
        try await node.perform("snapshot.ensure", ["snapshot": "first"])
        let config = try #require(node.configuration())
        try node.write(config + "snapstate: prepare\n", to: "etc/pve/nodes/pvelab/lxc/101.conf")
        let error = await #expect(throws: DriverError.self) {
            try await node.perform("snapshot.ensure", ["snapshot": "first"])
        }
        #expect(error?.code == .conflict)
        #expect(try await node.perform("snapshot.destroy", ["snapshot": "first"]).changed)
    }
}

@Suite struct CloneTests {
    @Test func `a clone is made once, with a name and a mark of its own`() async throws {
        let node = try await EmulatedNode()
        try await node.create()
        let wish: JSONObject = ["source": 101, "hostname": "web2", "owner": "svc_2"]
        let made = try await node.perform("container.clone", on: 102, wish, command: "cmd_2")
        #expect(made.changed && made.observed["owner"] == "svc_2" && made.observed["hostname"] == "web2")
        #expect(try await !node.perform("container.clone", on: 102, wish, command: "cmd_3").changed)
        let other: JSONObject = ["source": 101, "hostname": "web2", "owner": "svc_3"]
        let error = await #expect(throws: DriverError.self) {
            try await node.perform("container.clone", on: 102, other, command: "cmd_4")
        }
        #expect(error?.code == .foreign)
    }

    @Test func `a clone does not take the address of its source`() async throws {
        let node = try await EmulatedNode()
        try await node.create(101, ["networks": [["bridge": "vmbr0", "ip": "10.0.0.5/24"]]])
        let error = await #expect(throws: DriverError.self) {
            try await node.perform("container.clone", on: 102, ["source": 101, "hostname": "web2"])
        }
        #expect(
            error?.code == .conflict && error?.message.contains("address") == true && node.configuration(102) == nil)
        let wish: JSONObject = [
            "source": 101, "hostname": "web2", "memory_mib": 1024,
            "networks": [["bridge": "vmbr0", "ip": "10.0.0.6/24"]],
        ]
        let end = try await node.perform("container.clone", on: 102, wish)
        #expect(end.observed["memory_mib"] == 1024)
        #expect(end.observed["networks"]?.asArray?.first?["ip"] == "10.0.0.6/24")
        #expect(try await !node.perform("container.clone", on: 102, wish).changed)
    }

    @Test func `what cannot be cloned says why, and leaves nothing`() async throws {
        let node = try await EmulatedNode()
        try await node.create(101, ["start": true])
        let wish: JSONObject = ["source": 101, "hostname": "web2"]
        let runs = await #expect(throws: DriverError.self) { try await node.perform("container.clone", on: 102, wish) }
        #expect(runs?.code == .conflict && runs?.changed == false)
        let missing = await #expect(throws: DriverError.self) {
            try await node.perform("container.clone", on: 102, ["source": 150, "hostname": "web2"])
        }
        #expect(missing?.code == .notFound)
        #expect(node.configuration(102) == nil)
    }

    /// What a container is now says nothing of what it was.
    @Test(arguments: [
        "lxc.mount.entry: / host none rbind 0 0", "mp0: /etc,mp=/host", "dev0: /dev/sda", "unprivileged: 0",
    ])
    func `a clone of a snapshot that reaches the node is refused, whatever its container is now`(
        _ line: String
    ) async throws {
        let node = try await EmulatedNode()
        try await node.create(101, ["rootfs": ["storage": "labzfs", "size_gib": 1]])
        let now = try #require(node.configuration())
        let kept = now.split(separator: "\n").filter {
            !$0.hasPrefix("unprivileged:") || !line.hasPrefix("unprivileged:")
        }
        let then = (kept + [line[...]]).joined(separator: "\n")
        try node.write(now + "\n[then]\n\(then)\n", to: "etc/pve/nodes/pvelab/lxc/101.conf")
        let wish: JSONObject = ["source": 101, "hostname": "web2", "snapshot": "then"]
        let error = await #expect(throws: DriverError.self) {
            try await node.perform("container.clone", on: 102, wish)
        }
        #expect(error?.code == .permissionDenied && error?.changed == false, "\(String(describing: error))")
        #expect(error?.message.contains("the snapshot of container 101 reaches the node") == true)
        #expect(node.configuration(102) == nil)
    }

    @Test func `a template is made once, and not of what runs or has snapshots`() async throws {
        let node = try await EmulatedNode()
        try await node.create()
        #expect(try await node.perform("container.template").observed["template"] == true)
        #expect(try await !node.perform("container.template").changed)
        let start = await #expect(throws: DriverError.self) { try await node.perform("container.start") }
        #expect(start?.code == .conflict)
        try await node.create(102, ["rootfs": ["storage": "labzfs", "size_gib": 1]])
        try await node.perform("snapshot.ensure", on: 102, ["snapshot": "first"])
        let error = await #expect(throws: DriverError.self) { try await node.perform("container.template", on: 102) }
        #expect(error?.code == .conflict)
    }
}
