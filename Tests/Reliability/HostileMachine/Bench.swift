import Glibc
import Model
import TestSupport
import Testing
import WireProtocol

/// An agent whose `zfs` commits misdeeds on the datasets that are named after them.
struct Bench: Sendable {
    let centre: Centre
    let node: Node
    let vigil: Vigil
    /// What the agent held before anything happened.
    let before: Census

    init(_ misdeeds: [Misdeed], configuration: JSONObject = [:]) async throws {
        centre = try await Centre()
        var all: JSONObject = ["drivers": ["host", "zfs"]]
        for member in configuration.members { all[member.key] = member.value }
        let tools = (zfs: Tools.zfs(misdeeds.map { ($0.name, $0.script) }), zpool: Tools.zpool)
        node = try await Node(centre, tools: tools, configuration: all)
        vigil = Vigil(node: node) { node in try await Self.quota("good", on: node) }
        // The first child and the first connection bring threads and descriptors that stay.
        _ = try await Self.quota("good", on: node)
        before = try await Self.settled(node)
    }

    func close() async {
        await node.stop()
        await centre.stop()
    }

    /// Orders the change that the misdeed is done in place of.
    func order(_ misdeed: Misdeed) async throws -> CommandResult {
        try await Self.quota(misdeed.name, on: node, deadline: misdeed.deadline)
    }

    func commit(_ misdeed: Misdeed) async throws {
        let result = try await vigil.during { try await order(misdeed) }
        expect(result, misdeed)
        try await expectNothingLeft(misdeed.name)
    }

    func expect(_ result: CommandResult, _ misdeed: Misdeed) {
        #expect(result.status == misdeed.status, "\(misdeed.name): \(result)")
        #expect(result.error?.code == misdeed.code, "\(misdeed.name): \(result)")
        #expect(misdeed.message.isEmpty || result.error?.message.contains(misdeed.message) == true, "\(result)")
        #expect(misdeed.detail.isEmpty || result.error?.detail?.contains(misdeed.detail) == true, "\(result)")
    }

    /// No thread, descriptor, child or corpse more than before, and no process that a stopped tool had started. What a
    /// tool that ended by itself has left in the background is its own affair.
    func expectNothingLeft(_ name: String) async throws {
        if name == "leaves-one-behind" { for pid in strays() { kill(pid, SIGKILL) } }
        #expect(await eventually { strays() == [] }, "\(name) left processes \(strays())")
        await node.expectNoMore(than: before, name)
    }

    func strays() -> [Int32] { Census.processes(with: Misdeed.mark).filter { isOurs($0) } }

    /// Other test runs on this machine leave the same words on their command lines.
    private func isOurs(_ pid: Int32) -> Bool {
        Census.text("/proc/\(pid)/mountinfo").contains(node.folder.path)
    }

    private static func quota(
        _ name: String, on node: Node, deadline: Duration = .seconds(60)
    ) async throws -> CommandResult {
        try await node.order(
            "zfs", "dataset.quota", on: "zfs/tank/\(name)",
            ["dataset": .string("tank/\(name)"), "quota_bytes": .integer(Int64(node.centre.number()))],
            deadline: deadline)
    }

    /// The agent at rest: the same twice in a row, over some rounds of samples.
    private static func settled(_ node: Node) async throws -> Census {
        var last = Census(of: node.pid)
        for _ in 0..<20 {
            try await Task.sleep(for: .milliseconds(300))
            let now = Census(of: node.pid)
            if now == last { return now }
            last = now
        }
        return last
    }
}
