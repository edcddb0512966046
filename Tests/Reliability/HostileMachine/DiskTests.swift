import Glibc
import Model
import Store
import TestSupport
import Testing
import WireProtocol

extension HostileMachine {
    /// A disk without room under the agent's data: journal, spool and audit log.
    @Suite struct DiskTests {
        @Test func `on a full disk nothing is begun, what is asked is answered, and nothing is lost silently`()
            async throws
        {
            let cabin = try await Cabin()
            #expect(try await cabin.change().status == .succeeded)
            let before = Census(of: cabin.node.pid)
            try cabin.disk.fill()
            let begun = Timestamp.now()
            let vigil = Vigil(node: cabin.node, errand: Yard.look, series: nil)
            try await vigil.during {
                let change = try await cabin.change()
                #expect(change.status == .refused && change.error?.code == .journal, "\(change)")
                #expect(change.error?.retryable == true)
                #expect(change.error?.message.contains("disk is full") == true, "\(change)")
                let denied = try await cabin.denied()
                #expect(denied.status == .refused && denied.error?.code == .policy, "\(denied)")
                try await Task.sleep(for: .seconds(3))
            }
            #expect(cabin.node.program.output.contains("the audit log could not be written"))
            cabin.disk.free()
            let ended = Timestamp.now()
            #expect(await eventually { (try? await cabin.change().status) == .succeeded })
            #expect(try await cabin.denied().status == .refused)
            #expect(Census.text(cabin.disk.path("audit.log")).contains("zfs.dataset.destroy"))
            try await cabin.expectAccount(begun, ended)
            await cabin.node.expectNoMore(than: before)
            await cabin.close()
        }

        @Test func `an agent that is started on a full disk says so, and works when there is room`() async throws {
            let cabin = try await Cabin()
            #expect(try await cabin.change(id: "cmd-first").status == .succeeded)
            cabin.node.program.signal(SIGKILL)
            await cabin.node.program.stop()
            try cabin.disk.fill()
            let failed = try BackgroundProgram(
                cabin.node.words[0], Array(cabin.node.words.dropFirst()), log: cabin.node.folder.file("full.log"))
            _ = await eventually(within: .seconds(5)) { failed.output.contains("full") }
            await failed.stop()
            #expect(failed.output.contains("disk is full"), "\(failed.output)")
            cabin.disk.free()
            let again = try await Node(cabin.centre, configuration: cabin.configuration, after: cabin.node)
            #expect(try await Yard.look(again).status == .succeeded)
            #expect(!again.program.output.contains("set aside"), "\(again.program.output)")
            await again.stop()
            await cabin.close()
        }
    }
}

/// An agent whose data lie on a small disk.
struct Cabin: Sendable {
    let centre: Centre
    let node: Node
    let disk: SmallDisk
    private let policy: ScratchFolder
    let configuration: JSONObject

    init() async throws {
        centre = try await Centre()
        policy = try ScratchFolder("policy")
        let file = try policy.write(
            Array(#"{"deny": [{"operation": "zfs.dataset.destroy"}]}"#.utf8), to: "policy.json")
        configuration = ["drivers": ["host", "zfs"], "policy": .string(file)]
        node = try await Node(
            centre, tools: (zfs: Tools.zfs([]), zpool: Tools.zpool), room: 8 << 20, configuration: configuration)
        disk = try #require(node.disk)
    }

    func close() async {
        await node.stop()
        await centre.stop()
    }

    func change(id: String? = nil) async throws -> CommandResult {
        try await node.order(
            "zfs", "dataset.quota", on: "zfs/tank/good",
            ["dataset": "tank/good", "quota_bytes": .integer(Int64(centre.number()))], id: id)
    }

    func denied() async throws -> CommandResult {
        try await node.order("zfs", "dataset.destroy", on: "zfs/tank/good", ["dataset": "tank/good"])
    }

    /// Each sample of that time is in the store, or a gap says that it is not.
    func expectAccount(_ begun: Timestamp, _ ended: Timestamp) async throws {
        let isKnown = try await eventually { try await hole(begun, ended) == nil }
        let left = try await hole(begun, ended)
        #expect(isKnown, "nothing is known of the time from \(left?.iso8601 ?? "")")
    }

    /// The beginning of two seconds that neither samples nor gaps account for.
    private func hole(_ begun: Timestamp, _ ended: Timestamp) async throws -> Timestamp? {
        let (store, id) = (centre.store, node.id)
        let query = MetricQuery(
            node: id, names: ["host.memory.used"], from: begun, to: ended, step: .milliseconds(250))
        let samples = try await store.metrics(query).flatMap { $0.points.map { ($0.time, $0.time) } }
        let gaps = try await store.gaps(node: id).items.filter { $0.kind == "metrics" }.map { ($0.fromTime, $0.toTime) }
        var known = begun
        for (from, to) in (samples + gaps + [(ended, ended)]).sorted(by: { $0.0 < $1.0 }) {
            if from - known > .seconds(2) { return known }
            known = max(known, to)
        }
        return nil
    }
}
