import AgentCommands
import Glibc
import Logging
import Model
import NIOCore
import ServiceLifecycle
import Sessions
import SimulatedFleet
import Store
import Transport
import WireProtocol

/// One real agent process, 50 made-up containers in a control group tree of the bench's own, and a controller side in
/// this process that measures from its own calls.
struct AgentBench {
    var containers = 50
    var seconds = 60
    var commands = 2000
    var programs: String

    func run() async throws {
        let folder = try temporaryFolder("bench")
        defer { remove(folder) }
        let root = "\(folder)/root"
        try FakeMachine(containers: containers).make(at: root)
        let side = try await ControllerSide(folder: folder)
        let listening = Task { try await side.run() }
        guard let port = await side.listener.address()?.port else { throw FleetFailure("the port is not bound") }
        let agent = "\(programs)/innkeeper-agent"
        let token = try await side.token()
        try Program(
            agent, ["enrol", "--controller", "127.0.0.1:\(port)", "--token", token, "--data", "\(folder)/agent"],
            log: "\(folder)/enrol.log"
        ).wait()
        let config = "\(folder)/agent.json"
        try PEMFile.write(
            "{\"drivers\":[\"host\"],\"host_root\":\"\(root)\",\"log_level\":\"warning\"}", to: config)
        let process = try Program(
            agent, ["run", "--data", "\(folder)/agent", "--config", config], log: "\(folder)/agent.log")
        let node = try await side.firstNode()
        do {
            try await footprint(process.pid, side, node)
            try await roundTrips(side.fleet, node)
        } catch {
            process.stop()
            throw error
        }
        process.stop()
        listening.cancel()
        _ = try? await listening.value
    }

    private func footprint(_ pid: pid_t, _ side: ControllerSide, _ node: String) async throws {
        try await Task.sleep(for: .seconds(15))
        let before = ProcessFigures(pid: pid)
        let start = ContinuousClock.now
        // What counts is what it holds all the time, not at one moment: it gives pages back, and they return.
        var seen: [ProcessFigures] = []
        for second in 1...seconds {
            try await Task.sleep(until: start + .seconds(second), clock: .continuous)
            seen.append(ProcessFigures(pid: pid))
        }
        let after = seen[seen.count - 1]
        let sizes = seen.map { Double($0.pss) }
        let elapsed = (ContinuousClock.now - start).seconds
        try await expectSamples(of: node, side, Double(seconds))
        report(
            "agent.idle",
            [
                ("containers", Double(containers)), ("sample_interval_s", 10), ("seconds", elapsed),
                ("pss_kib_mean", sizes.reduce(0, +) / Double(sizes.count)), ("pss_kib_max", sizes.max() ?? 0),
                ("anonymous_kib", Double(after.anonymous)), ("threads", Double(after.threads)),
                ("cpu_ms", after.cpu - before.cpu),
                ("cpu_percent", (after.cpu - before.cpu) / 10 / elapsed),
            ])
    }

    /// The agent that was measured did its work: a sample of every container each ten seconds came to the store.
    private func expectSamples(of node: String, _ side: ControllerSide, _ seconds: Double) async throws {
        guard side.fleet.liveSessions.contains(where: { $0.node == node }) else {
            throw FleetFailure("the agent was not linked while it was measured")
        }
        let now = Timestamp.now()
        let lines = try await side.store.metrics(
            MetricQuery(
                node: node, names: ["container/*"], from: now - .seconds(Int64(seconds)), to: now, step: .seconds(1)))
        let sampled = lines.filter { $0.name.hasSuffix(".memory.used") && $0.points.count >= Int(seconds / 10) - 1 }
        guard sampled.count == containers else {
            throw FleetFailure("\(sampled.count) of \(containers) containers were sampled all the time")
        }
    }

    private func roundTrips(_ fleet: Fleet, _ node: String) async throws {
        var times: [Double] = []
        for index in 0..<commands + 100 {
            let start = ContinuousClock.now
            let result = try await fleet.perform(
                AgentCommand(
                    id: Identifier.make("cmd"), resource: "host", generation: 1, driver: "host",
                    action: "system.info"),
                on: node)
            guard result.status == .succeeded, result.observed["hostname"]?.asString?.isEmpty == false else {
                throw FleetFailure("a command ended \(result.status.code) and told \(result.observed)")
            }
            if index >= 100 { times.append((ContinuousClock.now - start).seconds * 1000) }
        }
        times.sort()
        report(
            "command.round_trip",
            [
                ("commands", Double(times.count)), ("p50_ms", times[times.count / 2]),
                ("p99_ms", times[times.count * 99 / 100]), ("max_ms", times[times.count - 1]),
            ])
    }
}

/// Store, sessions and listener of a controller, without its core and API.
private struct ControllerSide {
    let store: Store
    let fleet: Fleet
    let listener: AgentListener
    private let manager: SessionManager
    private let authority: CertificateAuthority

    init(folder: String) async throws {
        let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        let now = Timestamp.now().milliseconds
        let store = try Store(path: "\(folder)/store.sqlite")
        let authority = try CertificateAuthority.create(commonName: "bench", days: 1, now: now)
        let fleet = Fleet(
            ledger: Fleet.Ledger { (order, node) throws(AgentError) in
                let record = CommandRecord(
                    id: order.id, node: node, resource: order.resource, body: order.arguments, createdAt: .now())
                do { _ = try await store.insertCommand(record) } catch { throw .store("\(error)") }
                return Fleet.Opening()
            })
        (self.store, self.authority, self.fleet) = (store, authority, fleet)
        manager = SessionManager(
            store: store, fleet: fleet, revocations: Revocations(), authority: authority, expected: [], logger: logger)
        let key = try PrivateKey.generate()
        let certificate = try authority.issueServer(
            key: key, names: ["127.0.0.1", "localhost"], validity: .seconds(86_400), now: now)
        var configuration = AgentListener.Configuration()
        configuration.port = 0
        let tls = try TLSContext(
            server: TLSServerConfiguration(
                identity: TLSIdentity(chain: [certificate, authority.certificate], key: key),
                services: [
                    .init(ProtocolVersion.alpn, clientCertificate: .required),
                    .init(ProtocolVersion.enrolmentALPN, clientCertificate: .none),
                ],
                clientAuthority: authority.certificate,
                verifyPeer: { [revocations = manager.revocations] in revocations.verdict(on: $0) }))
        listener = AgentListener(
            configuration: configuration, tls: { tls }, sessions: manager,
            enrolments: EnrolmentService(
                store: store, sessions: manager, authority: authority, controllerName: "localhost", logger: logger),
            logger: logger)
    }

    func run() async throws {
        try await withThrowingTaskGroup { group in
            group.addTask { try await listener.run() }
            group.addTask { try await SessionService(manager: manager).run() }
            try await group.waitForAll()
        }
    }

    func token() async throws -> String {
        let token = try JoinToken.make(id: Identifier.make("tok"), caPin: authority.certificate.publicKeyPin)
        let now = Timestamp.now()
        try await store.insertToken(
            TokenRecord(
                id: token.id, secretHash: token.secretHash, usesLeft: 1, expiresAt: now + .seconds(600), createdAt: now,
                approves: true))
        return token.text
    }

    func firstNode() async throws -> String {
        for _ in 0..<300 {
            if let session = fleet.liveSessions.first { return session.node }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw FleetFailure("the agent did not connect")
    }
}
