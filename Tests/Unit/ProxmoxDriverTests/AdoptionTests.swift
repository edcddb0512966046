import DriverKit
import TestSupport
import Testing
import WireProtocol

@testable import ProxmoxDriver

/// "Already there" is success only where mark and shape are ours.
@Suite struct AdoptionTests {
    private static let copy: JSONObject = [
        "source": 101, "hostname": "web2", "owner": "svc_2", "memory_mib": 1024,
    ]

    private func refused(
        _ node: EmulatedNode, _ operation: String, on vmid: Int, _ arguments: JSONObject
    ) async -> DriverError? {
        let before = node.configuration(vmid)
        let error = await #expect(throws: DriverError.self) {
            try await node.perform(operation, on: vmid, arguments, command: "cmd_9")
        }
        #expect(node.configuration(vmid) == before, "it was changed all the same")
        return error
    }

    @Test func `a copy that took our mark along is not ours`() async throws {
        let node = try await EmulatedNode()
        try await node.create()
        try await node.pct("clone", "101", "102", "--hostname", "web1")
        #expect(node.configuration(102)?.contains("#innkeeper: svc_1 cmd_1 101") == true)
        let seen = try await node.perform("container.inspect", on: 102).observed
        #expect(seen["owner"] == nil && seen["copy_of"] == 101)
        let made = await refused(node, "container.create", on: 102, EmulatedNode.wish())
        #expect(made?.code == .foreign && made?.cause?.contains("copy of container 101") == true)
        var wish = Self.copy
        wish["owner"] = "svc_1"
        #expect(await refused(node, "container.clone", on: 102, wish)?.code == .foreign)
        #expect(await refused(node, "container.destroy", on: 102, ["owner": "svc_1"])?.code == .foreign)
    }

    @Test func `a container of our own that is no such copy is not made into one`() async throws {
        let node = try await EmulatedNode()
        try await node.create()
        try await node.create(102, ["owner": "svc_2"], command: "cmd_2")
        let other = await refused(node, "container.clone", on: 102, Self.copy)
        #expect(other?.code == .conflict && other?.message.contains("no copy of container 101") == true)
        try await node.create(103)
        try await node.perform("container.clone", on: 104, Self.copy, command: "cmd_3")
        var wish = Self.copy
        wish["source"] = 103
        #expect(await refused(node, "container.clone", on: 104, wish)?.message.contains("container 103") == true)
        wish = Self.copy
        wish["memory_mib"] = 2048
        #expect(await refused(node, "container.clone", on: 104, wish)?.message.contains("memory") == true)
        #expect(try await !node.perform("container.clone", on: 104, Self.copy, command: "cmd_4").changed)
    }

    @Test(
        arguments: [
            (["rootfs": ["storage": "local", "size_gib": 2]], "rootfs"),
            (["rootfs": ["storage": "labzfs", "size_gib": 1]], "rootfs"),
            (["mounts": [["storage": "local", "size_gib": 2, "path": "/data"]]], "mounts"),
            (["mounts": [["storage": "local", "size_gib": 1, "path": "/other"]]], "mounts"),
            (["unprivileged": false], "unprivileged"), (["memory_mib": 1024], "memory"),
            (["features": ["nesting": true]], "features"),
        ] as [(JSONObject, String)])
    func `a container of another shape is a conflict that names it`(_ more: JSONObject, _ name: String) async throws {
        let node = try await EmulatedNode(allowsPrivileged: true)
        let mounts: JSONObject = ["mounts": [["storage": "local", "size_gib": 1, "path": "/data"]]]
        try await node.create(101, mounts)
        var wish = EmulatedNode.wish(mounts)
        #expect(try await !node.perform("container.create", on: 101, wish, command: "cmd_8").changed)
        for member in more.members { wish[member.key] = member.value }
        let error = await refused(node, "container.create", on: 101, wish)
        #expect(error?.code == .conflict && error?.message.hasSuffix("another \(name)") == true)
    }

    @Test func `a container with the mark of an earlier version is known by it`() async throws {
        let node = try await EmulatedNode()
        try await node.create()
        let earlier = try #require(node.configuration()).replacing(
            "#innkeeper: svc_1 cmd_1 101", with: "#innkeeper owner=svc_1 command=cmd_1")
        try node.write(earlier, to: "etc/pve/nodes/pvelab/lxc/101.conf")
        let again = try await node.create(101, [:], command: "cmd_2")
        #expect(!again.changed && again.observed["owner"] == "svc_1" && again.observed["nonce"] == "cmd_1")
        #expect(
            await refused(node, "container.create", on: 101, EmulatedNode.wish(["owner": "svc_2"]))?.code == .foreign)
    }

    @Test func `a clone looks for room as a creation does`() async throws {
        let small: JSONObject = ["type": "dir", "path": "/mnt/small", "size": .integer(10 << 20), "content": "rootdir"]
        let node = try await EmulatedNode(EmulatedNode.storages(["small": .object(small)]))
        try await node.create()
        var wish = Self.copy
        wish["storage"] = "small"
        let error = await refused(node, "container.clone", on: 103, wish)
        #expect(error?.code == .outOfSpace && error?.changed == false && node.configuration(103) == nil)
    }

    @Test func `marks are read from the first line, and only whole ones`() throws {
        let mark = GuestMark(service: "svc_1", nonce: "cmd_1", vmid: 101)
        #expect(GuestMark(description: mark.line + "\nmore\n") == mark)
        #expect(GuestMark(description: GuestMark(service: nil, nonce: "cmd_1", vmid: 101).line)?.service == nil)
        for text in [
            "", "by hand\n\(mark.line)", "innkeeper: svc_1 cmd_1", "innkeeper: svc_1 cmd_1 x", "innkeeper:  a 1",
        ] {
            #expect(GuestMark(description: text) == nil, "\(text)")
        }
        #expect(CopyNote(description: "\(mark.line)\ninnkeeper: copied from 301 unfinished\n")?.isUnfinished == true)
        #expect(CopyNote(description: "\(mark.line)\ninnkeeper: copied from 301")?.source == 301)
        #expect(CopyNote(description: "innkeeper: copied from 301") == nil)
    }
}
