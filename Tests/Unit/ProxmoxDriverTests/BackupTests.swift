import DriverKit
import TestSupport
import Testing
import WireProtocol

@testable import ProxmoxDriver

@Suite struct BackupTests {
    private func backup(_ node: EmulatedNode, _ more: JSONObject = [:]) async throws(DriverError) -> String {
        var arguments: JSONObject = ["storage": "local"]
        for member in more.members { arguments[member.key] = member.value }
        return try await node.perform("container.backup", arguments).observed["backup"]?.asString ?? ""
    }

    @Test func `backed up, listed, restored beside and in place, and removed twice`() async throws {
        let node = try await EmulatedNode()
        try await node.create(101, ["start": true, "networks": [["bridge": "vmbr0", "ip": "dhcp"]]])
        try await node.perform("container.exec", ["command": ["sh", "-c", "echo kept > /root/note"]])
        let made = try await backup(node)
        #expect(made.hasPrefix("local:backup/vzdump-lxc-101-"))
        let listed = try await node.perform("backup.list", ["storage": "local"]).observed["backups"]?.asArray
        #expect(listed?.compactMap { $0["backup"]?.asString } == [made])
        let wish: JSONObject = ["backup": .string(made), "unique": true, "start": true, "owner": "svc_2"]
        let beside = try await node.perform("container.restore", on: 102, wish, command: "cmd_2")
        #expect(beside.changed && beside.observed["owner"] == "svc_2" && beside.observed["status"] == "running")
        let macs = [101, 102].map { vmid in
            GuestConfig(node.configuration(vmid) ?? "").numbered("net").first?.properties["hwaddr"]
        }
        #expect(macs[0] != nil && macs[1] != nil && macs[0] != macs[1])
        let heard = Received()
        try await node.perform("container.exec", on: 102, ["command": ["cat", "/root/note"]], context: heard.context)
        #expect(heard.text(.stdout) == "kept\n")
        #expect(try await !node.perform("container.restore", on: 102, wish, command: "cmd_2").changed)
        try await node.perform("container.stop")
        let again: JSONObject = ["backup": .string(made), "replace": true, "owner": "svc_1"]
        #expect(try await node.perform("container.restore", on: 101, again, command: "cmd_3").changed)
        #expect(try await node.perform("backup.destroy", ["backup": .string(made)]).changed)
        #expect(try await !node.perform("backup.destroy", ["backup": .string(made)]).changed)
    }

    /// As the controller makes another service of a backup.
    @Test func `out of a backup comes a container of another service, with a card and a name of its own`() async throws
    {
        let node = try await EmulatedNode()
        let card: JSONObject = ["name": "eth0", "bridge": "vmbr0", "ip": "192.0.2.10/24", "gateway": "192.0.2.1"]
        try await node.create(101, ["start": true, "networks": [.object(card)]])
        let made = try await backup(node)
        func wish(_ vmid: Int) -> JSONObject {
            [
                "backup": .string(made), "storage": "labzfs", "replace": true, "unique": true,
                "mark": ["service": "svc_2"],
            ]
        }
        // What is somebody else's, marked or not, does not give way.
        try await node.create(103, ["owner": "svc_3", "networks": []], command: "cmd_9")
        try await node.create(104, ["owner": .null, "networks": []], command: "cmd_8")
        for vmid in [101, 103, 104] {
            let error = await #expect(throws: DriverError.self) {
                try await node.perform("container.restore", on: vmid, wish(vmid), command: "cmd_2")
            }
            #expect(error?.code == .foreign && error?.changed == false, "\(vmid): \(error.map { "\($0)" } ?? "")")
        }
        let first = try await node.perform("container.restore", on: 102, wish(102), command: "cmd_2")
        #expect(first.observed["owner"] == "svc_2" && first.observed["nonce"] == "cmd_2")
        #expect(first.observed["status"] == "stopped")
        // Another attempt makes it anew.
        let again = try await node.perform("container.restore", on: 102, wish(102), command: "cmd_3")
        #expect(again.changed && again.observed["nonce"] == "cmd_3")
        var own = card
        (own["ip"], own["mac"]) = ("192.0.2.11/24", "02:00:00:00:00:11")
        let mark: JSONValue = ["service": "svc_2", "nonce": "cmd_3"]
        let settings: JSONObject = [
            "hostname": "jane-ab", "memory_mib": 1024, "cores": 2, "on_boot": true, "networks": [.object(own)],
            "nameservers": ["192.0.2.2"], "apply": "at_restart", "mark": mark,
        ]
        #expect(try await node.perform("container.set", on: 102, settings, command: "cmd_4").changed)
        try await node.perform(
            "container.resize", on: 102, ["disk": "rootfs", "size_mib": 8192, "mark": mark], command: "cmd_5")
        try await node.perform("container.start", on: 102, ["mark": mark], command: "cmd_6")
        let config = GuestConfig(node.configuration(102) ?? "")
        #expect(config.numbered("net").count == 1 && config["hostname"] == "jane-ab" && config["memory"] == "1024")
        #expect(config.numbered("net").first?.properties["ip"] == "192.0.2.11/24")
        #expect(config["rootfs"]?.contains("size=8G") == true)
        #expect(node.configuration(101)?.contains("192.0.2.10/24") == true)
    }

    @Test func `a success without a backup is a failure`() async throws {
        let node = try await EmulatedNode(["backup_nothing": true])
        try await node.create()
        let error = await #expect(throws: DriverError.self) { try await backup(node) }
        #expect(error?.code == .failed && error?.retryable == true)
    }

    @Test func `a storage for backups that is full says so, though the tool speaks of job errors`() async throws {
        let full: JSONObject = ["type": "dir", "path": "/mnt/full", "size": .integer(64 << 10), "content": "backup"]
        let node = try await EmulatedNode(EmulatedNode.storages(["full": .object(full)]))
        try await node.create()
        let error = await #expect(throws: DriverError.self) { try await backup(node, ["storage": "full"]) }
        #expect(error?.code == .outOfSpace && error?.retryable == true && error?.changed == false)
    }

    @Test func `what cannot be backed up says why`() async throws {
        let node = try await EmulatedNode()
        try await node.create()
        let nowhere = await #expect(throws: DriverError.self) { try await backup(node, ["storage": "labzfs"]) }
        #expect(nowhere?.code == .notFound)
        let missing = await #expect(throws: DriverError.self) {
            try await node.perform("container.backup", on: 150, ["storage": "local"])
        }
        #expect(missing?.code == .notFound)
        try node.set(["fail": ["vzdump": "ERROR: Backup of VM 101 failed - CT is locked (snapshot)"]])
        let busy = await #expect(throws: DriverError.self) { try await backup(node) }
        #expect(busy?.code == .busy && busy?.retryable == true)
    }

    @Test func `older backups go only when the call says so`() async throws {
        let node = try await EmulatedNode()
        try await node.create()
        try node.write("old", to: "var/lib/vz/dump/vzdump-lxc-101-2020_01_01-00_00_00.tar.zst")
        _ = try await backup(node)
        #expect(try await node.perform("backup.list", ["storage": "local"]).observed["backups"]?.asArray?.count == 2)
        try await Task.sleep(for: .seconds(1.1))
        _ = try await backup(node, ["keep_last": 1])
        #expect(try await node.perform("backup.list", ["storage": "local"]).observed["backups"]?.asArray?.count == 1)
    }

    @Test func `a protected backup stays, though the tool exits with 0`() async throws {
        let node = try await EmulatedNode()
        try await node.create()
        let made = try await backup(node, ["protected": true])
        let error = await #expect(throws: DriverError.self) {
            try await node.perform("backup.destroy", ["backup": .string(made)])
        }
        #expect(error?.code == .conflict)
        let other = await #expect(throws: DriverError.self) {
            try await node.perform("backup.destroy", on: 102, ["backup": .string(made)])
        }
        #expect(other?.code == .invalidArgument)
    }

    @Test func `only what is ours, stands still and is given up by the call is replaced`() async throws {
        let node = try await EmulatedNode()
        try await node.create()
        let made = try await backup(node)
        try await node.perform("container.start")
        let cases: [(JSONObject, Int, DriverErrorCode)] = [
            (["backup": .string(made)], 101, .conflict),
            (["backup": .string(made), "replace": true], 101, .conflict),
            (["backup": .string(made), "replace": true, "owner": "svc_9"], 101, .foreign),
            (["backup": "local:backup/vzdump-lxc-101-2020_01_01-00_00_00.tar.zst"], 102, .notFound),
            (["backup": .string(made), "storage": "tiny"], 102, .outOfSpace),
            (["backup": .string(made), "made_of": "svc_9"], 102, .foreign),
            (["backup": "local:backup/../../etc/passwd"], 102, .invalidArgument),
        ]
        for (arguments, vmid, code) in cases {
            let error = await #expect(throws: DriverError.self) {
                try await node.perform("container.restore", on: vmid, arguments, command: "cmd_2")
            }
            #expect(error?.code == code && error?.changed == false)
        }
        #expect(try await node.perform("container.inspect").observed["status"] == "running")
        #expect(node.configuration(102) == nil)
    }

    @Test func `a cancelled restoration is rolled back by the tool`() async throws {
        let node = try await EmulatedNode()
        try await node.create()
        let made = try await backup(node)
        try node.set(["pace": 1])
        let work = Task {
            try await node.perform("container.restore", on: 102, ["backup": .string(made)], command: "cmd_2")
        }
        #expect(await eventually { node.configuration(102)?.contains("lock: create") == true })
        work.cancel()
        let error = await #expect(throws: DriverError.self) { try await work.value }
        #expect(error?.code == .cancelled && error?.changed == false)
        #expect(node.configuration(102) == nil)
    }
}
