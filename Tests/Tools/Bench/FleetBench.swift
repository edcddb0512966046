import Glibc
import Metering
import Model
import NIOCore
import NIOPosix
import SimulatedFleet
import Store
import Synchronization
import TestSupport
import Transport
import WireProtocol

/// A simulated fleet in this process against one controller process.
struct FleetBench {
    var agents = 2000
    var series = 100
    var window = 8
    var seconds = 15
    var programs: String
    private let port: Int
    private let api: Int

    init(programs: String) throws {
        self.programs = programs
        port = Int(try freePort())
        api = Int(try freePort())
    }

    func run() async throws {
        let folder = try temporaryFolder("bench")
        defer { remove(folder) }
        let data = "\(folder)/controller"
        let controller = "\(programs)/innkeeper-controller"
        try Program(controller, ["init", "--data", data, "--key-file", "\(folder)/key"]).wait()
        let contexts = try await enrol(data)
        let config = "\(folder)/config.json"
        try PEMFile.write("{\"log_level\":\"warning\"}", to: config)
        let process = try Program(
            controller,
            [
                "serve", "--data", data, "--config", config, "--agents", "127.0.0.1:\(port)", "--api",
                "127.0.0.1:\(api)",
            ],
            log: "\(folder)/log")
        try await Task.sleep(for: .seconds(2))
        let tally = Tally()
        let fleet = contexts.enumerated().map { index, context in
            SimulatedAgent(
                SimulatedNode(id: node(index), series: series, spool: .max), context: context, tally: tally)
        }
        // A node that does not beat is cut after 15 s, and what is measured then is a fleet of the few that are left.
        let beats = Task {
            while !Task.isCancelled {
                for agent in fleet { agent.heartbeat() }
                try await Task.sleep(for: .seconds(4))
            }
        }
        defer { beats.cancel() }
        let samples: Int
        do { samples = try await measure(process.pid, fleet, tally, store: "\(data)/controller.sqlite") } catch {
            process.stop()
            throw error
        }
        process.stop()
        try await confirm(fleet, in: "\(data)/controller.sqlite", atLeast: samples)
    }

    /// Returns how many samples it has counted as stored.
    private func measure(
        _ pid: pid_t, _ fleet: [SimulatedAgent], _ tally: Tally, store: String
    ) async throws -> Int {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let empty = ProcessFigures(pid: pid)
        try await connect(fleet, tally, group, pid, empty)
        // Longer than a node may be silent: who is linked now is there to stay.
        try await Task.sleep(for: .seconds(20))
        try expectAll(fleet, tally, "idle")
        let idle = ProcessFigures(pid: pid)
        report(
            "fleet.memory",
            [
                ("agents", Double(agents)), ("controller_pss_kib", Double(idle.pss)),
                ("empty_pss_kib", Double(empty.pss)),
                ("kib_per_agent", Double(idle.pss - empty.pss) / Double(agents)),
            ])
        let samples = try await stream(fleet, tally, pid, store)
        try expectAll(fleet, tally, "streaming")
        for agent in fleet { agent.cut(.close) }
        try await group.shutdownGracefully()
        return samples
    }

    /// A figure of a fleet is one only while all of it is there.
    private func expectAll(_ fleet: [SimulatedAgent], _ tally: Tally, _ phase: String) throws {
        let linked = fleet.count { $0.isLinked }
        let (failures, goodbyes) = (tally.failures.load(ordering: .relaxed), tally.goodbyes.load(ordering: .relaxed))
        let welcomed = tally.welcomed.load(ordering: .relaxed)
        guard linked == fleet.count, welcomed == fleet.count, failures == 0, goodbyes == 0 else {
            throw FleetFailure(
                "while \(phase), only \(linked) of \(fleet.count) agents were linked; \(goodbyes) were dismissed and "
                    + "\(failures) links failed: nothing that was measured counts")
        }
    }

    /// What was acknowledged is in the store, with the values and times that were sent: all of it for a hundred nodes.
    private func confirm(_ fleet: [SimulatedAgent], in file: String, atLeast counted: Int) async throws {
        let store = try Store(path: file)
        for agent in fleet.shuffled().prefix(100) {
            let node = agent.node
            let sent = node.times.prefix(node.times.count - node.waiting)
            guard let first = sent.first, let last = sent.last else {
                throw FleetFailure("\(node.id) has got no sample stored")
            }
            let lines = try await store.metrics(
                MetricQuery(
                    node: node.id, names: [SimulatedNode.sequence], from: Timestamp(milliseconds: first),
                    to: Timestamp(milliseconds: last + 1000), step: .seconds(1)))
            let found = Set(lines.flatMap(\.points).map { Int64($0.aggregate.last) })
            let missing = sent.indices.count { !found.contains(Int64($0) + 1) }
            guard missing == 0 else {
                throw FleetFailure("\(node.id): \(missing) of \(sent.count) acknowledged samples are not in the store")
            }
        }
        await store.close()
        let sent = fleet.reduce(0) { $0 + $1.node.times.count - $1.node.waiting } * series
        guard sent >= counted else { throw FleetFailure("\(counted) samples were counted and only \(sent) sent") }
    }

    private func connect(
        _ agents: [SimulatedAgent], _ tally: Tally, _ group: MultiThreadedEventLoopGroup, _ pid: pid_t,
        _ before: ProcessFigures
    ) async throws {
        let start = ContinuousClock.now
        for first in stride(from: 0, to: agents.count, by: 50) {
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                for agent in agents[first..<min(first + 50, agents.count)] {
                    tasks.addTask { try await agent.connect(port: port, on: group) }
                }
                try await tasks.waitForAll()
            }
        }
        while tally.welcomed.load(ordering: .relaxed) < agents.count, ContinuousClock.now - start < .seconds(120) {
            try await Task.sleep(for: .milliseconds(20))
        }
        let elapsed = ContinuousClock.now - start
        let welcomed = tally.welcomed.load(ordering: .relaxed)
        guard welcomed == agents.count else {
            throw FleetFailure("only \(welcomed) of \(agents.count) agents were let in")
        }
        let cpu = ProcessFigures(pid: pid).cpu - before.cpu
        report(
            "fleet.connect",
            [
                ("agents", Double(agents.count)), ("seconds", elapsed.seconds),
                ("sessions_per_s", Double(agents.count) / elapsed.seconds),
                ("controller_cpu_ms_per_session", cpu / Double(agents.count)),
            ])
        try await Task.sleep(for: .seconds(3))
    }

    private func stream(
        _ fleet: [SimulatedAgent], _ tally: Tally, _ pid: pid_t, _ store: String
    ) async throws -> Int {
        let size = Self.size(store)
        let before = ProcessFigures(pid: pid)
        let start = ContinuousClock.now
        for agent in fleet { agent.flood(window: window) }
        try await Task.sleep(for: .seconds(seconds))
        let lines = tally.acknowledgedLines.load(ordering: .relaxed)
        let elapsed = (ContinuousClock.now - start).seconds
        let after = ProcessFigures(pid: pid)
        for agent in fleet { agent.flood(window: nil) }
        try await Task.sleep(for: .seconds(3))
        let stored = tally.acknowledgedLines.load(ordering: .relaxed) * series
        guard lines > 0 else { throw FleetFailure("no sample was acknowledged in \(seconds) s") }
        report(
            "fleet.samples",
            [
                ("agents", Double(agents)), ("samples_per_s", Double(lines * series) / elapsed),
                ("lines_per_s", Double(lines) / elapsed),
                ("controller_cores", (after.cpu - before.cpu) / 1000 / elapsed),
                ("controller_pss_kib", Double(after.pss)),
                ("bytes_per_sample", Double(Self.size(store) - size) / Double(stored)),
            ])
        return stored
    }

    /// Makes the fleet's nodes and certificates as enrolment would, but in one go.
    private func enrol(_ data: String) async throws -> [TLSContext] {
        let authority = try CertificateAuthority(
            certificatePEM: PEMFile.read("\(data)/ca.pem"), keyPEM: PEMFile.readKey("\(data)/ca.key"))
        let store = try Store(path: "\(data)/controller.sqlite")
        var contexts: [TLSContext] = []
        let now = Timestamp.now()
        for index in 0..<agents {
            contexts.append(try await Enrolment.direct(node(index), authority: authority, store: store, at: now))
        }
        await store.close()
        return contexts
    }

    private func node(_ index: Int) -> String { "bench-\(index)" }

    private static func size(_ path: String) -> Int64 {
        ["", "-wal"].reduce(0) { sum, suffix in
            var info = stat()
            return stat(path + suffix, &info) == 0 ? sum + Int64(info.st_size) : sum
        }
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
