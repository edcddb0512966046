import DriverKit
import TestSupport
import Testing
import WireProtocol

@testable import ProxmoxDriver

/// What waits for a container to stop is not in force.
@Suite struct PendingTests {
    private func running(_ more: JSONObject = [:]) async throws -> EmulatedNode {
        let node = try await EmulatedNode()
        try await node.create(101, more)
        try await node.perform("container.start")
        return node
    }

    private func refused(_ node: EmulatedNode, _ arguments: JSONObject) async -> DriverError? {
        await #expect(throws: DriverError.self) { try await node.perform("container.set", arguments) }
    }

    private func restart(_ node: EmulatedNode) async throws {
        try await node.perform("container.restart", ["timeout_s": 10])
    }

    @Test func `what a running container does not take is refused, and nothing of it stays`() async throws {
        let node = try await running()
        let before = node.configuration()
        let wish: JSONObject = ["features": ["nesting": true]]
        let error = await refused(node, wish)
        #expect(error?.code == .conflict && error?.changed == false)
        #expect(error?.message.contains("features") == true && error?.message.contains("apply=at_restart") == true)
        #expect(node.configuration() == before)
        // What it took all the same is told.
        let mixed = await refused(node, ["features": ["nesting": true], "memory_mib": 1024])
        #expect(mixed?.changed == true && node.configuration()?.contains("pve:pending") == false)
        #expect(node.configuration()?.contains("memory: 1024") == true)
    }

    @Test func `what may wait is listed until the restart, and not called done before`() async throws {
        let node = try await running()
        let wish: JSONObject = ["features": ["nesting": true], "nameservers": ["192.0.2.53"], "apply": "at_restart"]
        let end = try await node.perform("container.set", wish)
        #expect(end.changed && end.observed["pending"] == ["features", "nameserver"])
        #expect(end.observed["features"] == nil)
        #expect(try await !node.perform("container.set", wish).changed)
        let now = await refused(node, ["features": ["nesting": true]])
        #expect(now?.code == .conflict && now?.changed == false)
        #expect(node.configuration()?.contains("[pve:pending]") == true)
        try await restart(node)
        let after = try await node.perform("container.inspect").observed
        #expect(after["pending"] == nil && after["features"] == "nesting=1")
        #expect(try await !node.perform("container.set", ["features": ["nesting": true]]).changed)
    }

    @Test func `a change that waits is taken back by its key`() async throws {
        let node = try await running()
        try await node.perform("container.set", ["features": ["nesting": true], "apply": "at_restart"])
        let end = try await node.perform("container.set", ["revert": ["features"]])
        #expect(end.changed && end.observed["pending"] == nil)
        #expect(try await !node.perform("container.set", ["revert": ["features"]]).changed)
        #expect(await refused(node, ["revert": ["features"], "features": ["fuse": true]])?.code == .invalidArgument)
    }

    @Test func `a disk whose removal waits is kept by asking for it again`() async throws {
        let mounts: JSONObject = ["mounts": [["storage": "local", "size_gib": 1, "path": "/data"]]]
        let node = try await running(mounts)
        let error = await refused(node, ["remove": ["mp0"]])
        #expect(error?.code == .conflict && error?.changed == false)
        let end = try await node.perform("container.set", ["remove": ["mp0"], "apply": "at_restart"])
        #expect(end.changed && end.observed["pending_removals"] == ["mp0"] && end.observed["pending"] == ["mp0"])
        #expect(try await !node.perform("container.set", ["remove": ["mp0"], "apply": "at_restart"]).changed)
        #expect(await refused(node, ["remove": ["mp0"]])?.code == .conflict)
        let kept = try await node.perform("container.set", mounts)
        #expect(kept.changed && kept.observed["pending_removals"] == nil)
        try await restart(node)
        #expect(try await node.perform("container.inspect").observed["volumes"]?.asArray?.count == 2)
        // And one that goes has gone after the restart.
        try await node.perform("container.set", ["remove": ["mp0"], "apply": "at_restart"])
        try await restart(node)
        let volumes = try await node.perform("container.inspect").observed["volumes"]?.asArray ?? []
        #expect(volumes.count { $0["unused"] == nil } == 1)
        #expect(try await !node.perform("container.set", ["remove": ["mp0"]]).changed)
    }

    @Test func `what is as wished and would be lost at the restart is kept`() async throws {
        let node = try await running(["nameservers": ["192.0.2.53"]])
        try await node.pct("set", "101", "--delete", "nameserver")
        try await node.pct("set", "101", "--features", "fuse=1")
        #expect(try await node.perform("container.set", ["nameservers": ["192.0.2.53"]]).changed)
        #expect(try await node.perform("container.set", ["features": ["fuse": false]]).changed)
        #expect(node.configuration()?.contains("pve:pending") == false)
        #expect(node.configuration()?.contains("nameserver: 192.0.2.53") == true)
    }

    private static let card: JSONObject = ["networks": [["bridge": "vmbr0", "ip": "dhcp"]]]

    private func mac(_ node: EmulatedNode) async throws -> JSONValue? {
        try await node.perform("container.inspect").observed["networks"]?.asArray?.first?["mac"]
    }

    @Test func `a bridge that is not there costs a running container nothing`() async throws {
        let node = try await running(Self.card)
        let before = node.configuration()
        let wish: JSONObject = ["networks": [["bridge": "vmbr9", "name": "lan0", "ip": "dhcp"]]]
        let error = await refused(node, wish)
        #expect(error?.code == .notFound && error?.changed == false && node.configuration() == before)
        // One that goes between the look and the tool's.
        try node.write("", to: "sys/class/net/vmbr9/address")
        let late = await refused(node, wish)
        #expect(late?.code == .notFound && late?.changed == false)
        #expect(node.configuration() == before)
        #expect(FileText.names(in: node.folder.file("sys/class/net"))?.contains("veth101i0") == true)
        let waiting = await refused(node, ["networks": [["bridge": "vmbr9", "name": "lan0"]], "apply": "at_restart"])
        #expect(waiting?.code == .notFound && node.configuration() == before)
    }

    @Test func `a card that was lost to a change keeps its address when it comes back`() async throws {
        let node = try await running(Self.card)
        let before = try await mac(node)
        let text = try #require(GuestConfig(node.configuration() ?? "")["net0"])
        try await node.pct(
            "set", "101", "--net0", text.replacing("eth0", with: "lan0").replacing("vmbr0", with: "vmbr9"))
        #expect(GuestConfig(node.configuration() ?? "")["net0"] == nil)
        let end = try await node.perform("container.set", Self.card)
        #expect(end.changed && end.observed["pending"] == nil)
        #expect(try await mac(node) == before && before != nil)
    }
}
