import Glibc
import Logging
import Model
import NIOCore
import ServiceLifecycle
import Sessions
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
        let folder = try temporaryFolder()
        defer { remove(folder) }
        let root = "\(folder)/root"
        try makeMachine(root)
        let side = try await ControllerSide(folder: folder)
        let listening = Task { try await side.run() }
        guard let port = await side.listener.address()?.port else { throw BenchError("the port is not bound") }
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
        try await footprint(process.pid)
        try await roundTrips(side.fleet, node)
        process.stop()
        listening.cancel()
        _ = try? await listening.value
    }

    private func footprint(_ pid: pid_t) async throws {
        try await Task.sleep(for: .seconds(15))
        let before = ProcessFigures(pid: pid)
        let start = ContinuousClock.now
        try await Task.sleep(for: .seconds(seconds))
        let after = ProcessFigures(pid: pid)
        let elapsed = (ContinuousClock.now - start).seconds
        report(
            "agent.idle",
            [
                ("containers", Double(containers)), ("sample_interval_s", 10), ("seconds", elapsed),
                ("pss_kib", Double(after.pss)), ("anonymous_kib", Double(after.anonymous)),
                ("threads", Double(after.threads)), ("cpu_ms", after.cpu - before.cpu),
                ("cpu_percent", (after.cpu - before.cpu) / 10 / elapsed),
            ])
    }

    private func roundTrips(_ fleet: Fleet, _ node: String) async throws {
        var times: [Double] = []
        for index in 0..<commands + 100 {
            let start = ContinuousClock.now
            let result = try await fleet.perform(
                AgentOrder(
                    id: Identifier.make("cmd"), resource: "host", generation: 1, driver: "host",
                    operation: "system.info"),
                on: node)
            guard result.status == .succeeded else { throw BenchError("a command ended \(result.status.code)") }
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

    /// The kernel's own `/proc` and a version 2 tree with containers as Docker names them.
    private func makeMachine(_ root: String) throws {
        let tree = "\(root)/sys/fs/cgroup"
        try Program("/bin/mkdir", ["-p", "\(tree)/system.slice"]).wait()
        guard symlink("/proc", "\(root)/proc") == 0 else { throw BenchError("no link to /proc can be made") }
        try PEMFile.write("cpu io memory pids\n", to: "\(tree)/cgroup.controllers")
        for index in 0..<containers {
            let digits = String(index, radix: 16)
            let id = String(repeating: "0", count: 12 - digits.count) + digits + String(repeating: "a", count: 52)
            let group = "\(tree)/system.slice/docker-\(id).scope"
            try Program("/bin/mkdir", [group]).wait()
            try PEMFile.write("usage_usec \(index)000\nuser_usec 1\nsystem_usec 2\n", to: "\(group)/cpu.stat")
            try PEMFile.write("\(index * 4096 + 1_000_000)\n", to: "\(group)/memory.current")
            try PEMFile.write("max\n", to: "\(group)/memory.max")
            try PEMFile.write("anon 1\nfile 2\nactive_file 9\ninactive_file 4096\n", to: "\(group)/memory.stat")
            try PEMFile.write("7\n", to: "\(group)/pids.current")
            try PEMFile.write("259:0 rbytes=1000 wbytes=2000 rios=1 wios=2 dbytes=0 dios=0\n", to: "\(group)/io.stat")
        }
    }
}

/// Store, sessions and listener of a controller, without its core and API.
private struct ControllerSide {
    let store: Store
    let fleet: Fleet
    let listener: AgentListener
    private let desk: SessionDesk
    private let authority: CertificateAuthority

    init(folder: String) async throws {
        let logger = Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
        let now = Timestamp.now().milliseconds
        let store = try Store(path: "\(folder)/store.sqlite")
        let authority = try CertificateAuthority.create(commonName: "bench", days: 1, now: now)
        let fleet = Fleet(
            ledger: Fleet.Ledger { (order, node) throws(FleetError) in
                let record = CommandRecord(
                    id: order.id, node: node, resource: order.resource, body: order.arguments, createdAt: .now())
                do { _ = try await store.insertCommand(record) } catch { throw .store("\(error)") }
                return Fleet.Opening()
            })
        (self.store, self.authority, self.fleet) = (store, authority, fleet)
        desk = SessionDesk(
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
                verifyPeer: { [revocations = desk.revocations] in revocations.verdict(on: $0) }))
        listener = AgentListener(
            configuration: configuration, tls: { tls }, sessions: desk,
            enrolments: EnrolmentDesk(
                store: store, sessions: desk, authority: authority, controllerName: "localhost", logger: logger),
            logger: logger)
    }

    func run() async throws {
        try await withThrowingTaskGroup { group in
            group.addTask { try await listener.run() }
            group.addTask { try await SessionService(desk: desk).run() }
            try await group.waitForAll()
        }
    }

    func token() async throws -> String {
        let token = try JoinToken.make(id: Identifier.make("tok"), caPin: authority.certificate.publicKeyPin)
        let now = Timestamp.now()
        try await store.insertToken(
            TokenRecord(
                id: token.id, secretHash: token.secretHash, usesLeft: 1, expiresAt: now + .seconds(600), createdAt: now)
        )
        return token.text
    }

    func firstNode() async throws -> String {
        for _ in 0..<300 {
            if let session = fleet.liveSessions.first { return session.node }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw BenchError("the agent did not connect")
    }
}
