import Glibc
import SimulatedFleet
import Synchronization
import TestSupport
import Transport

/// The real daemons of a soak: one controller, two agents, all in one folder.
struct Site: Sendable {
    let folder: String
    let ports: (agents: Int, api: Int)
    let controller: Daemon
    let agents: [Daemon]
    let front: APIClient
    private let programs: String

    init(programs: String, folder: String) async throws {
        (self.programs, self.folder) = (programs, folder)
        ports = (Int(try freePort()), Int(try freePort()))
        let data = "\(folder)/controller"
        let program = "\(programs)/innkeeper-controller"
        try Program(program, ["init", "--data", data, "--key-file", "\(folder)/key"], log: "\(folder)/init.log").wait()
        try PEMFile.write("{\"log_level\":\"info\",\"inventory_ms\":60000}", to: "\(folder)/controller.json")
        controller = Daemon(
            "controller",
            [
                program, "serve", "--data", data, "--config", "\(folder)/controller.json", "--agents",
                "127.0.0.1:\(ports.agents)", "--api", "127.0.0.1:\(ports.api)",
            ], folder: folder)
        agents = ["agent-1", "agent-2"].map { name in
            Daemon(
                name,
                [
                    "\(programs)/innkeeper-agent", "run", "--data", "\(folder)/\(name)", "--config",
                    "\(folder)/agent.json",
                ], folder: folder)
        }
        front = APIClient(
            url: "https://127.0.0.1:\(ports.api)",
            key: String(try PEMFile.read("\(folder)/key").split(separator: "\n").first ?? ""),
            authority: Array(try PEMFile.read("\(data)/ca.pem").utf8))
    }

    var database: String { "\(folder)/controller/controller.sqlite" }

    /// Starts everything; real agents enrol first.
    func start() async throws {
        try FakeMachine(containers: 50).make(at: "\(folder)/machine")
        let config = "{\"drivers\":[\"host\"],\"host_root\":\"\(folder)/machine\",\"log_level\":\"info\"}"
        try PEMFile.write(config, to: "\(folder)/agent.json")
        try controller.start()
        try await awaitReady()
        let token = try await front.token(uses: agents.count)
        for agent in agents {
            try Program(
                "\(programs)/innkeeper-agent",
                [
                    "enrol", "--controller", "127.0.0.1:\(ports.agents)", "--token", token, "--data",
                    "\(folder)/\(agent.name)",
                ], log: "\(folder)/enrol.log"
            ).wait()
            try agent.start()
        }
    }

    func awaitReady() async throws {
        for _ in 0..<600 {
            if await front.isReady() { return }
            if controller.hasDied { break }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw FleetFailure("the controller does not come up; see \(folder)/controller.log")
    }

    func stop() {
        for daemon in agents + [controller] { daemon.stop() }
    }
}

/// A real daemon that is started again and again. Each start begins a life.
final class Daemon: Sendable {
    let name: String
    private let command: [String]
    private let log: String
    private let state = Mutex<(program: Program?, life: Int, since: ContinuousClock.Instant?)>((nil, 0, nil))

    init(_ name: String, _ command: [String], folder: String) {
        (self.name, self.command, log) = (name, command, "\(folder)/\(name).log")
    }

    /// The running process and the number of its life, from 1.
    var present: (pid: pid_t, life: Int)? {
        state.withLock { state in state.program.map { ($0.pid, state.life) } }
    }

    /// How long the present life has lasted; zero between lives.
    var age: Duration { state.withLock { $0.since.map { .now - $0 } ?? .zero } }

    /// Whether it ended unasked.
    var hasDied: Bool {
        state.withLock { state in
            guard let program = state.program, program.hasEnded else { return false }
            (state.program, state.since) = (nil, nil)
            return true
        }
    }

    func start() throws {
        let program = try Program(command[0], Array(command.dropFirst()), log: log)
        state.withLock { $0 = (program, $0.life + 1, .now) }
    }

    /// Ends it in order; `kill -9` when `hard`.
    func stop(hard: Bool = false) {
        let program = state.withLock { state in
            defer { (state.program, state.since) = (nil, nil) }
            return state.program
        }
        if hard { program?.killNow() } else { program?.stop() }
    }
}
