import Glibc
import Model
import NIOCore
import NIOPosix
import Store
import Synchronization
import Transport
import WireProtocol

/// A simulated fleet in this process against one controller process.
struct FleetBench {
    var agents = 2000
    var series = 100
    var window: Int64 = 8
    var seconds = 15
    var programs: String
    private let port: Int
    private let api: Int

    init(programs: String) throws {
        self.programs = programs
        port = try freePort()
        api = try freePort()
    }

    func run() async throws {
        let folder = try temporaryFolder()
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
        defer { process.stop() }
        try await Task.sleep(for: .seconds(2))
        try await measure(process.pid, contexts, store: "\(data)/controller.sqlite")
    }

    private func measure(_ pid: pid_t, _ contexts: [TLSContext], store: String) async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let tally = SimulatedAgent.Tally()
        let empty = ProcessFigures(pid: pid)
        let channels = try await connect(contexts, tally, group, pid, empty)
        let idle = ProcessFigures(pid: pid)
        report(
            "fleet.memory",
            [
                ("agents", Double(agents)), ("controller_pss_kib", Double(idle.pss)),
                ("empty_pss_kib", Double(empty.pss)),
                ("kib_per_agent", Double(idle.pss - empty.pss) / Double(agents)),
            ])
        try await stream(channels, tally, pid, store)
        for channel in channels { try? await channel.close() }
        try await group.shutdownGracefully()
    }

    private func connect(
        _ contexts: [TLSContext], _ tally: SimulatedAgent.Tally, _ group: MultiThreadedEventLoopGroup, _ pid: pid_t,
        _ before: ProcessFigures
    ) async throws -> [any Channel] {
        let start = ContinuousClock.now
        var channels: [any Channel] = []
        for first in stride(from: 0, to: contexts.count, by: 50) {
            let batch = try await withThrowingTaskGroup(of: (any Channel).self) { tasks in
                for index in first..<min(first + 50, contexts.count) {
                    tasks.addTask { try await dial(contexts[index], node(index), tally, group) }
                }
                return try await tasks.reduce(into: []) { $0.append($1) }
            }
            channels += batch
        }
        while tally.welcomed.load(ordering: .relaxed) < agents, ContinuousClock.now - start < .seconds(120) {
            try await Task.sleep(for: .milliseconds(20))
        }
        let elapsed = ContinuousClock.now - start
        guard tally.welcomed.load(ordering: .relaxed) == agents else {
            throw BenchError("only \(tally.welcomed.load(ordering: .relaxed)) of \(agents) agents were let in")
        }
        let cpu = ProcessFigures(pid: pid).cpu - before.cpu
        report(
            "fleet.connect",
            [
                ("agents", Double(agents)), ("seconds", elapsed.seconds),
                ("sessions_per_s", Double(agents) / elapsed.seconds),
                ("controller_cpu_ms_per_session", cpu / Double(agents)),
            ])
        try await Task.sleep(for: .seconds(3))
        return channels
    }

    private func dial(
        _ context: TLSContext, _ node: String, _ tally: SimulatedAgent.Tally, _ group: MultiThreadedEventLoopGroup
    ) async throws -> any Channel {
        let (series, window) = (series, window)
        return try await SecureClient.connect(
            host: "127.0.0.1", port: port, on: group, context: context, connectLimit: .seconds(30)
        ) { channel in
            let agent = SimulatedAgent(node: node, tally: tally, series: series, window: window)
            try channel.pipeline.syncOperations.addHandlers([LineDecoder(), Greeter(agent: agent), agent])
        }.get()
    }

    private func stream(
        _ channels: [any Channel], _ tally: SimulatedAgent.Tally, _ pid: pid_t, _ store: String
    ) async throws {
        let size = Self.size(store)
        let before = ProcessFigures(pid: pid)
        let start = ContinuousClock.now
        for channel in channels { channel.pipeline.fireUserInboundEventTriggered(SimulatedAgent.Wish.stream) }
        try await Task.sleep(for: .seconds(seconds))
        let lines = tally.acknowledgedLines.load(ordering: .relaxed)
        let elapsed = (ContinuousClock.now - start).seconds
        let after = ProcessFigures(pid: pid)
        for channel in channels { channel.pipeline.fireUserInboundEventTriggered(SimulatedAgent.Wish.pause) }
        try await Task.sleep(for: .seconds(3))
        let stored = Double(tally.acknowledgedLines.load(ordering: .relaxed) * series)
        report(
            "fleet.samples",
            [
                ("agents", Double(agents)), ("samples_per_s", Double(lines * series) / elapsed),
                ("lines_per_s", Double(lines) / elapsed),
                ("controller_cores", (after.cpu - before.cpu) / 1000 / elapsed),
                ("controller_pss_kib", Double(after.pss)),
                ("bytes_per_sample", Double(Self.size(store) - size) / max(1, stored)),
                ("failures", Double(tally.failures.load(ordering: .relaxed))),
            ])
    }

    /// Makes the fleet's nodes and certificates as enrolment would, but in one go.
    private func enrol(_ data: String) async throws -> [TLSContext] {
        let authority = try CertificateAuthority(
            certificatePEM: PEMFile.read("\(data)/ca.pem"), keyPEM: PEMFile.readKey("\(data)/ca.key"))
        let store = try Store(path: "\(data)/controller.sqlite")
        var contexts: [TLSContext] = []
        let now = Timestamp.now()
        for index in 0..<agents {
            let key = try PrivateKey.generate()
            let request = try CertificateSigningRequest(
                pem: CertificateSigningRequest.make(key: key, commonName: node(index)))
            let certificate = try authority.issueNode(
                csr: request, nodeID: node(index), validity: .seconds(86_400), now: now.milliseconds)
            try await store.insertNode(NodeRecord(id: node(index), name: node(index), enrolledAt: now))
            contexts.append(
                try TLSContext(
                    client: TLSClientConfiguration(
                        trust: .authorities([authority.certificate]), serverName: "localhost",
                        identity: TLSIdentity(chain: [certificate], key: key), protocols: [ProtocolVersion.alpn])))
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

/// Says hello once the link is up.
private final class Greeter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let agent: SimulatedAgent

    init(agent: SimulatedAgent) { self.agent = agent }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is TLSHandshakeCompleted { agent.greet(context) }
        context.fireUserInboundEventTriggered(event)
    }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
