import DriverKit
import Glibc
import Synchronization
import TestSupport
import Testing
import WireProtocol

@testable import ProxmoxDriver

@Suite struct RecoveryTests {
    /// The tool that this process has started with such words; the tool's own worker has another parent.
    private func tool(_ node: EmulatedNode, _ verb: String) -> pid_t? {
        for name in FileText.names(in: "/proc") ?? [] {
            guard let pid = pid_t(name), let line = FileText.read("/proc/\(pid)/cmdline"),
                line.contains(node.folder.path), line.contains("\0\(verb)\0"),
                FileText.number(in: "/proc/\(pid)/status", behind: "PPid:\t") == Int64(getpid())
            else { continue }
            return pid
        }
        return nil
    }

    private func disks(_ node: EmulatedNode, _ vmid: Int = 101) -> [String] {
        FileText.names(in: node.folder.file("var/lib/vz/images/\(vmid)")) ?? []
    }

    @Test func `what a killed creation has half made is removed with its disk and its mount`() async throws {
        let node = try await EmulatedNode(["pace": 1])
        let work = Task { try await node.create() }
        #expect(await eventually { node.text("proc/mounts")?.contains("/101/") == true })
        let pid = try #require(tool(node, "create"))
        kill(pid, SIGKILL)
        let error = await #expect(throws: DriverError.self) { try await work.value }
        #expect(error?.code == .failed && error?.retryable == true && error?.changed == false)
        #expect(error?.message.contains("killed by signal 9") == true)
        #expect(node.configuration() == nil && disks(node) == [])
        #expect(node.text("proc/mounts")?.contains("/101/") == false)
        try node.set([:])
        #expect(try await node.create(101, [:], command: "cmd_2").changed)
    }

    @Test func `what an earlier life has left is removed without being asked for`() async throws {
        let node = try await EmulatedNode()
        try node.write("lock: create\n", to: "etc/pve/nodes/pvelab/lxc/101.conf")
        await node.driver.recover([
            AbandonedCommand(id: "cmd_0", action: "container.create", resource: "proxmox/ct/101"),
            AbandonedCommand(id: "cmd_9", action: "container.start", resource: "proxmox/ct/102"),
        ])
        let seen = Mutex<[DriverEvent]>([])
        let work = Task { await node.driver.events { event in seen.withLock { $0.append(event) } } }
        #expect(await eventually { seen.withLock { !$0.isEmpty } })
        work.cancel()
        await work.value
        #expect(seen.withLock { $0.first?.kind } == "container.half_made_removed")
        #expect(seen.withLock { $0.first?.data["command"] } == "cmd_0" && node.configuration() == nil)
    }

    @Test func `a clone that was given up goes only when it is that command's`() async throws {
        let node = try await EmulatedNode()
        let text = "#innkeeper command=cmd_1\nhostname: web2\nlock: create\n"
        try node.write(text, to: "etc/pve/nodes/pvelab/lxc/102.conf")
        func recovered(_ command: String) async -> ProxmoxDriver.Sweep {
            await node.driver.recover([
                AbandonedCommand(id: command, action: "container.clone", resource: "proxmox/ct/102")
            ])
            return await node.driver.sweep(102)
        }
        #expect(await recovered("cmd_2") == .later)
        #expect(node.configuration(102) == text)
        #expect(await recovered("cmd_1") == .removed)
        #expect(node.configuration(102) == nil)
    }

    @Test func `a container that was made after all is left alone for good`() async throws {
        let node = try await EmulatedNode()
        try await node.create()
        await node.driver.recover([
            AbandonedCommand(id: "cmd_1", action: "container.create", resource: "proxmox/ct/101")
        ])
        #expect(await node.driver.sweep(101) == .nothing)
        #expect(node.driver.abandonedCreations.commands.isEmpty && node.configuration() != nil)
    }

    @Test func `a storage that is full in spite of the look at it is told at the start`() async throws {
        let node = try await EmulatedNode()
        try await node.create(101, ["rootfs": ["storage": "local", "size_gib": 1]])
        let folder = node.folder.file("emulator/volumes/local")
        let volume = try #require((FileText.names(in: folder) ?? []).first { $0.hasSuffix(".raw") })
        try node.write("", to: "emulator/volumes/local/\(volume).corrupt")
        let error = await #expect(throws: DriverError.self) { try await node.perform("container.start") }
        #expect(error?.code == .failed && error?.cause?.contains("startup for container") == true)
    }
}
