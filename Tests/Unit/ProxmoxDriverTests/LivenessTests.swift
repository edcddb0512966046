import DriverKit
import Glibc
import Processes
import TestSupport
import Testing
import WireProtocol

@testable import ProxmoxDriver

/// What lives is left alone, what is dead is cleaned, on both sides of a copy.
@Suite struct LivenessTests {
    private static let wish: JSONObject = ["source": 101, "hostname": "web2", "owner": "svc_2", "memory_mib": 1024]

    /// A copy as an agent that has died since has begun it: it waits in the middle of its data.
    private func copying() async throws -> (node: EmulatedNode, tool: Task<ProcessOutcome, any Error>) {
        let node = try await EmulatedNode(["gates": ["clone"]])
        try await node.create()
        let description = "innkeeper: svc_2 cmd_2 102\ninnkeeper: copied from 101 unfinished"
        let tool = Task {
            try await node.pct("clone", "101", "102", "--hostname", "web2", "--full", "1", "--description", description)
        }
        #expect(await eventually { disks(node).count == 1 })
        await node.driver.recover([
            AbandonedCommand(id: "cmd_2", action: "container.clone", resource: "proxmox/ct/102")
        ])
        return (node, tool)
    }

    private func disks(_ node: EmulatedNode) -> [String] {
        FileText.names(in: node.folder.file("var/lib/vz/images/102")) ?? []
    }

    private func refused(
        _ node: EmulatedNode, _ operation: String, on vmid: Int, _ arguments: JSONObject = [:]
    ) async -> DriverError? {
        await #expect(throws: DriverError.self) { try await node.perform(operation, on: vmid, arguments) }
    }

    @Test func `a copy that lives is neither removed nor unlocked, and is finished when it has ended`() async throws {
        let (node, tool) = try await copying()
        #expect(await node.driver.sweep(102) == .later)
        for (operation, vmid) in [
            ("container.unlock", 102), ("container.destroy", 102), ("container.start", 102), ("container.start", 101),
            ("container.unlock", 101),
        ] {
            let error = await refused(node, operation, on: vmid)
            #expect(error?.code == .busy && error?.retryable == true, "\(operation) of \(vmid)")
        }
        let again = await refused(node, "container.clone", on: 102, Self.wish)
        #expect(again?.code == .busy && again?.retryable == true)
        try node.open(gate: "clone")
        #expect(try await tool.value.succeeded)
        #expect(await node.driver.sweep(102) == .nothing)
        let end = try await node.perform("container.clone", on: 102, Self.wish, command: "cmd_3")
        #expect(end.changed && end.observed["memory_mib"] == 1024 && end.observed["lock"] == nil)
        #expect(node.configuration()?.contains("lock:") == false)
        #expect(try await !node.perform("container.clone", on: 102, Self.wish, command: "cmd_4").changed)
    }

    @Test func `a copy whose log does not tell its target yet may be this one`() async throws {
        let (node, tool) = try await copying()
        for digit in FileText.names(in: node.folder.file("var/log/pve/tasks")) ?? [] where digit.utf8.count == 1 {
            for name in FileText.names(in: node.folder.file("var/log/pve/tasks/\(digit)")) ?? [] {
                unlink(node.folder.file("var/log/pve/tasks/\(digit)/\(name)"))
            }
        }
        // The tool that names both is gone as well: only its worker goes on.
        for name in FileText.names(in: node.folder.file("proc")) ?? [] {
            let words = node.text("proc/\(name)/cmdline") ?? ""
            if words.contains("/usr/sbin/pct"), let pid = pid_t(name) { kill(pid, SIGKILL) }
        }
        #expect(try await tool.value.exit == .signal(SIGKILL))
        #expect(await node.driver.sweep(102) == .later)
        #expect(await refused(node, "container.unlock", on: 102)?.code == .busy)
        // It finds that its reader has gone, and takes everything back by itself, its source's lock too.
        try node.open(gate: "clone")
        #expect(await eventually { node.configuration(102) == nil })
        #expect(node.configuration()?.contains("lock:") == false && disks(node) == [])
    }

    @Test func `a copy that has died goes, and its source is free again`() async throws {
        let (node, tool) = try await copying()
        node.killTools()
        _ = try await tool.value
        #expect(await eventually { !node.driver.files.isBusy(102) })
        #expect(node.configuration()?.contains("lock: disk") == true)
        let locked = await refused(node, "container.start", on: 101)
        #expect(locked?.code == .busy && locked?.retryable == false)
        #expect(await node.driver.sweep(102) == .removed)
        #expect(node.configuration(102) == nil && disks(node) == [])
        #expect(node.configuration()?.contains("lock:") == false)
        #expect(try await node.perform("container.start").changed)
    }

    @Test func `unlocking a copy that has died frees its source as well`() async throws {
        let (node, tool) = try await copying()
        node.killTools()
        _ = try await tool.value
        #expect(await eventually { !node.driver.files.isBusy(102) })
        #expect(try await node.perform("container.unlock", on: 102).changed)
        #expect(node.configuration()?.contains("lock:") == false)
    }

    @Test func `another process with the number of a task is not that task`() async throws {
        let node = try await EmulatedNode()
        try node.write("lock: create\n", to: "etc/pve/nodes/pvelab/lxc/101.conf")
        try node.isAtWork("vzcreate", on: "101", since: "00000007")
        await node.driver.recover([
            AbandonedCommand(id: "cmd_0", action: "container.create", resource: "proxmox/ct/101")
        ])
        #expect(await node.driver.sweep(101) == .removed)
    }

    @Test func `a backup of several containers holds the lock of each`() async throws {
        let node = try await EmulatedNode()
        try await node.create()
        let config = try #require(node.configuration())
        try node.write(config + "lock: backup\n", to: "etc/pve/nodes/pvelab/lxc/101.conf")
        try node.isAtWork("vzdump", on: "")
        let error = await refused(node, "container.unlock", on: 101)
        #expect(error?.code == .busy && error?.retryable == true)
    }

    @Test(
        arguments: [
            ("/usr/bin/perl\0-T\0/usr/sbin/pct\0clone\0301\0805\0--full\01", Set([301, 805])),
            ("/usr/sbin/pct\0set\0--cores\02\0101", [101]), ("/usr/bin/perl\0/usr/sbin/pct\0status\0101", nil),
            ("/usr/bin/perl\0/usr/sbin/pct\0exec\0101\0--\0sleep", nil), ("vi\0/usr/sbin/pct", nil), ("pct", nil),
            ("sh\0-c\0echo\0/usr/sbin/pct\0set\0101", nil),
        ] as [(String, Set<Int>?)]) func `a tool is known by its words`(_ line: String, _ ids: Set<Int>?)
    {
        let tool = Worker(tool: line.split(separator: "\0"))
        let found: Set<Int>? = if case .tool(_, let found) = tool { found } else { nil }
        #expect(found == ids)
    }

    @Test func `a task is known by its title, its list and its start`() throws {
        let name = "UPID:pve1:0000A2B3:0003C4D5:65F0A1BE:vzclone:301:root@pam:"
        let task = try #require(TaskLine("task \(name)\0\0\0"))
        #expect(task == TaskLine("\(name) 0") && task.kind == "vzclone" && task.subject == "301")
        #expect(task.pid == 0xA2B3 && task.birth == 0x3C4D5 && task.log == "E/\(name)")
        #expect(
            TaskLine("\(name) 1 65F0A1FF OK") == nil && TaskLine("task \(name.replacing("pve1", with: "../x"))") == nil)
    }
}
