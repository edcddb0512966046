import DriverKit
import Processes
import TestSupport
import Testing
import WireProtocol

@testable import ProxmoxDriver

/// Removals while a storage of the cluster is away.
@Suite struct AwayTests {
    private static func away(_ isAway: Bool) -> JSONObject {
        EmulatedNode.storages([
            "gone": [
                "type": "dir", "path": "/mnt/gone", "size": .integer(4 << 30), "content": "rootdir",
                "inactive": .bool(isAway),
            ]
        ])
    }

    /// A disk that no configuration names.
    private static let lost = "mnt/gone/images/101/vm-101-disk-7.raw"

    private func node() async throws -> EmulatedNode {
        let node = try await EmulatedNode(Self.away(false))
        try await node.create()
        try node.write("lost", to: Self.lost)
        try node.set(Self.away(true))
        return node
    }

    private func disks(_ node: EmulatedNode, _ vmid: Int = 101) -> [String] {
        FileText.names(in: node.folder.file("var/lib/vz/images/\(vmid)")) ?? []
    }

    @Test func `a storage that has nothing to do with it does not stand in the way, and is not forgotten`() async throws
    {
        let node = try await node()
        try node.write("", to: "var/lib/vz/images/101/vm-101-disk-9.raw")
        let end = try await node.perform("container.destroy")
        #expect(end.changed && end.observed["not_searched"] == ["gone"])
        #expect(node.configuration() == nil && disks(node) == [])
        let again = try await node.perform("container.destroy")
        #expect(!again.changed && again.observed["not_searched"] == ["gone"])
        #expect(await node.driver.sweepLeftovers().isEmpty && node.text(Self.lost) != nil)
        // The storage is back, in another life of the agent.
        try node.set(Self.away(false))
        let later = try #require(await ProxmoxDriver.detect(root: node.folder.path))
        let removed = await later.sweepLeftovers()
        #expect(removed.map(\.0) == [101] && removed.first?.1 == ["gone:101/vm-101-disk-7.raw"])
        #expect(node.text(Self.lost) == nil && node.driver.files.leftovers().isEmpty)
        #expect(try await node.perform("container.destroy").observed["not_searched"] == nil)
    }

    @Test func `disks of an id that is somebody's again are left alone`() async throws {
        let node = try await node()
        try await node.perform("container.destroy")
        try node.set(Self.away(false))
        try await node.create(101, ["owner": "svc_2"], command: "cmd_2")
        #expect(await node.driver.sweepLeftovers().isEmpty)
        #expect(node.text(Self.lost) != nil && node.configuration() != nil)
        // It goes with that container, whose removal looks everywhere.
        try await node.perform("container.destroy")
        #expect(node.text(Self.lost) == nil && node.driver.files.leftovers().isEmpty)
    }

    @Test func `a disk on a storage that is away keeps the whole container`() async throws {
        let node = try await EmulatedNode(Self.away(false))
        try await node.create(101, ["mounts": [["storage": "gone", "size_gib": 1, "path": "/data"]]])
        try node.set(Self.away(true))
        let error = await #expect(throws: DriverError.self) { try await node.perform("container.destroy") }
        #expect(error?.code == .unavailable && error?.retryable == true && error?.changed == false)
        #expect(error?.message.contains("storage gone") == true && disks(node).count == 1)
        // A restoration in its place removes it first.
        try node.write("", to: "var/lib/vz/dump/vzdump-lxc-101-2026_01_01-00_00_00.tar.zst")
        let replaced = await #expect(throws: DriverError.self) {
            try await node.perform(
                "container.restore",
                ["backup": "local:backup/vzdump-lxc-101-2026_01_01-00_00_00.tar.zst", "replace": true], command: "cmd_2"
            )
        }
        #expect(replaced?.code == .unavailable && replaced?.changed == false && disks(node).count == 1)
    }

    @Test func `a removal that fails after disks have gone says that something has changed`() async throws {
        let node = try await node()
        // What an agent that looked a moment earlier would ask for.
        let outcome = try await node.pct("destroy", "101", "--purge", "1", "--destroy-unreferenced-disks", "1")
        #expect(!outcome.succeeded && node.configuration() != nil && disks(node) == [])
        let error = ProxmoxFailure.error(.pct, outcome)
        #expect(error.code == .unavailable && error.retryable)
        #expect(try await node.perform("container.destroy").changed)
        #expect(node.configuration() == nil)
    }

    @Test func `what a killed creation has left goes as well, and its storages are noted`() async throws {
        let node = try await node()
        try node.write("lock: create\n", to: "etc/pve/nodes/pvelab/lxc/101.conf")
        await node.driver.recover([
            AbandonedCommand(id: "cmd_0", action: "container.create", resource: "proxmox/ct/101")
        ])
        #expect(await node.driver.sweep(101) == .removed)
        #expect(node.configuration() == nil && disks(node) == [])
        #expect(node.driver.files.leftover(101)?.storages == ["gone"])
    }
}
