import DriverKit
import TestSupport
import Testing
import WireProtocol

@testable import ProxmoxDriver

/// Whose a container is: every change compares the mark that its call brings.
@Suite struct MarkTests {
    private static func mark(_ service: String, _ nonce: String? = nil) -> JSONObject {
        var mark: JSONObject = ["service": .string(service)]
        mark["nonce"] = nonce.map(JSONValue.string)
        return ["mark": .object(mark)]
    }

    private static let changes: [(String, JSONObject)] = [
        ("container.set", ["memory_mib": 1024]), ("container.start", [:]), ("container.stop", [:]),
        ("container.resize", ["disk": "rootfs", "size_mib": 4096]), ("container.destroy", ["force": true]),
        ("snapshot.ensure", ["snapshot": "before"]), ("container.template", [:]), ("ha.add", [:]), ("ha.remove", [:]),
        ("backup.destroy", ["backup": "local:backup/vzdump-lxc-101-2020_01_01-00_00_00.tar.zst"]),
    ]

    /// That every change of the container is refused as foreign, and leaves it as it is.
    private func expectForeign(_ node: EmulatedNode, _ vmid: Int, _ mark: JSONObject, _ why: Comment) async {
        let before = node.configuration(vmid)
        for (action, more) in Self.changes {
            var arguments = more
            arguments["mark"] = mark["mark"]
            let error = await #expect(throws: DriverError.self) {
                try await node.perform(action, on: vmid, arguments, command: "cmd_9")
            }
            #expect(error?.code == .foreign, "\(action): \(why)")
        }
        #expect(node.configuration(vmid) == before, why)
    }

    @Test func `only the mark of its making changes a container`() async throws {
        let node = try await EmulatedNode()
        let made = try await node.create(101, ["owner": .null, "mark": ["service": "svc_1"]])
        #expect(node.configuration()?.contains("#innkeeper: svc_1 cmd_1 101") == true)
        #expect(made.observed["unmarked"] == nil)
        await expectForeign(node, 101, Self.mark("svc_2"), "another's service")
        await expectForeign(node, 101, Self.mark("svc_1", "cmd_0"), "an earlier making under the same number")
        #expect(try await node.perform("container.start", Self.mark("svc_1", "cmd_1")).changed)
        var end = Self.mark("svc_1")
        end["force"] = true
        #expect(try await node.perform("container.destroy", end).changed)
        #expect(try await !node.perform("container.destroy", end).changed, "gone already")
    }

    @Test func `a clone by hand, a restoration by hand and a stranger are nobody's`() async throws {
        let node = try await EmulatedNode()
        try await node.create()
        try await node.pct("clone", "101", "102", "--hostname", "web1")
        await expectForeign(node, 102, Self.mark("svc_1"), "a clone that took the mark along")
        try await node.pct("create", "103", EmulatedNode.template, "--rootfs", "local:1", "--hostname", "other")
        await expectForeign(node, 103, Self.mark("svc_1"), "a stranger's")
        try await node.pct("set", "103", "--description", "innkeeper: svc_1 cmd_1 101")
        await expectForeign(node, 103, Self.mark("svc_1"), "a mark that was pasted")
        // The id that a service once had, given to somebody else meanwhile.
        try await node.pct("set", "101", "--description", "mine now")
        await expectForeign(node, 101, Self.mark("svc_1"), "its mark was removed meanwhile")
        await expectForeign(node, 101, Self.mark("svc_1", "cmd_1"), "its mark was removed meanwhile")
    }

    @Test func `what is the cluster's is compared with the container on whichever node it is`() async throws {
        let node = try await EmulatedNode()
        let backup: JSONValue = "local:backup/vzdump-lxc-150-2020_01_01-00_00_00.tar.zst"
        try node.write("#innkeeper: svc_1 cmd_1 150\nhostname: there\n", to: "etc/pve/nodes/pveb/lxc/150.conf")
        for (action, arguments) in [("ha.remove", [:]), ("backup.destroy", ["backup": backup])]
            as [(String, JSONObject)]
        {
            let error = await #expect(throws: DriverError.self) {
                try await node.perform(action, on: 150, arguments.merging(Self.mark("svc_2")))
            }
            #expect(error?.code == .foreign, "\(action)")
            #expect(try await !node.perform(action, on: 150, arguments.merging(Self.mark("svc_1"))).changed)
        }
    }

    @Test func `a container without a mark is taken into care once, and keeps its description`() async throws {
        let node = try await EmulatedNode()
        try await node.pct(
            "create", "101", EmulatedNode.template, "--rootfs", "local:1", "--hostname", "old", "--description", "Shop")
        #expect(try await node.perform("container.mark", Self.mark("svc_1", "n1")).changed)
        #expect(node.configuration()?.contains("#innkeeper: svc_1 n1 101\n#Shop\n") == true)
        #expect(try await !node.perform("container.mark", Self.mark("svc_1", "n1")).changed)
        let theft = await #expect(throws: DriverError.self) {
            try await node.perform("container.mark", Self.mark("svc_2"))
        }
        #expect(theft?.code == .foreign)
        var change = Self.mark("svc_1", "n1")
        change["memory_mib"] = 1024
        #expect(try await node.perform("container.set", change).changed)
        try await node.pct("clone", "101", "102", "--hostname", "copy")
        let copy = await #expect(throws: DriverError.self) {
            try await node.perform("container.mark", on: 102, Self.mark("svc_1"))
        }
        #expect(copy?.code == .foreign, "a copy is not taken into care")
    }
}

extension JSONObject {
    fileprivate func merging(_ other: JSONObject) -> JSONObject {
        var merged = self
        for member in other.members { merged[member.key] = member.value }
        return merged
    }
}
