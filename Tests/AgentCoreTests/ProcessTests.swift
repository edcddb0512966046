import AgentCore
import DaemonKit
import Glibc
import Model
import NIOPosix
import Testing
import TestSupport
import Transport
import WireProtocol

/// The program itself, started and killed as systemd and an unlucky day do it.
@Suite(.timeLimit(.minutes(2))) struct `The agent as a process` {
    private static let program = "\(#filePath.split(separator: "/Tests/")[0])/.build/debug/innkeeper-agent"

    @Test func `a wrong command line is one sentence and exit code 64`() throws {
        let (code, text) = try Self.run(["run", "--dat", "/tmp"])
        #expect(code == 64)
        #expect(text == "innkeeper-agent: --dat is not an option of run; see --help\n")
        #expect(try Self.run(["--version"]) == (0, "innkeeper-agent \(Version.current)\n"))
        let (missing, words) = try Self.run(["enrol", "--controller", "localhost:1", "--data", "/tmp/x"])
        #expect(missing == 64)
        #expect(words == "innkeeper-agent: enrol needs --token\n")
    }

    @Test func `a data folder of no node, and one that is in use, are named`() throws {
        let folder = try ScratchFolder("process")
        let (code, text) = try Self.run(["run", "--data", folder.path])
        #expect(code == 1)
        #expect(text == "innkeeper-agent: \(folder.path) belongs to no node yet: run innkeeper-agent enrol first\n")
        let held = try DataDirectory(folder.path)
        let (second, words) = try Self.run(["run", "--data", folder.path])
        #expect(second == 1)
        #expect(words == "innkeeper-agent: cannot use \(folder.path): process \(getpid()) is running on it\n")
        withExtendedLifetime(held) {}
    }

    @Test func `killed in the middle of a command it says so after its restart, and never runs it again`() async throws
    {
        let controller = try await ScriptedController()
        let folder = try ScratchFolder("killed")
        // An engine that takes the order and never answers.
        let engine = try ScriptedServer(unixSocket: folder.file("engine.sock")) { request in
            request.line.contains("svc-1") ? [.hold] : [.respond(200, Self.engineAnswer(request.line))]
        }
        try folder.write(
            Array(#"{"drivers": ["docker"], "docker_socket": "\#(folder.file("engine.sock"))"}"#.utf8), to: "agent.json"
        )
        let data = folder.file("data")
        try AgentRig.identity(controller).store(in: DataDirectory(data))
        let arguments = ["run", "--data", data, "--config", folder.file("agent.json")]
        let first = try BackgroundProgram(Self.program, arguments, log: folder.file("first.log"))
        try await controller.waitForSession()
        let command = ControllerMessage.command(
            Command(
                id: "c1", resource: "docker/svc-1", generation: 1, driver: "docker", operation: "container.stop",
                arguments: ["name": "svc-1"], deadlineMs: 600_000))
        controller.send(command)
        _ = try await eventually("the order at the engine (\(first.output))") {
            engine.requests.contains { $0.line.contains("svc-1") } ? true : nil
        }
        first.signal(SIGKILL)
        _ = try await Self.ended(first)
        let second = try BackgroundProgram(Self.program, arguments, log: folder.file("second.log"))
        let result = try await controller.result(of: "c1")
        #expect(result.status == .interrupted)
        #expect(result.error?.code == .interrupted)
        #expect(controller.lines.hellos.last?.receipts == [ReceiptReport(id: "c1", status: .interrupted)])
        controller.send(command)
        let again = try await controller.result(of: "c1", after: 1)
        #expect(again.status == .interrupted && again.replayed)
        #expect(engine.requests.filter { $0.line.contains("svc-1") }.count == 1)
        second.signal(SIGTERM)
        let code = try await Self.ended(second)
        #expect(code == 0, "an orderly end: \(second.output)")
        engine.stop()
    }

    @Test(arguments: [true, false])
    func `SIGTERM lets a running command finish within the grace and interrupts it after that`(finishes: Bool)
        async throws
    {
        let controller = try await ScriptedController()
        let folder = try ScratchFolder("stopped")
        let engine = try ScriptedServer(unixSocket: folder.file("engine.sock")) { request in
            guard request.line.contains("svc-1") else { return [.respond(200, Self.engineAnswer(request.line))] }
            return finishes ? [.gate, .respond(404, #"{"message":"No such container: svc-1"}"#)] : [.hold]
        }
        let socket = folder.file("engine.sock")
        let grace = finishes ? 600 : 1
        let settings = #"{"drivers": ["docker"], "docker_socket": "\#(socket)", "stop_grace_s": \#(grace)}"#
        try folder.write(Array(settings.utf8), to: "agent.json")
        let data = folder.file("data")
        try AgentRig.identity(controller).store(in: DataDirectory(data))
        let program = try BackgroundProgram(
            Self.program, ["run", "--data", data, "--config", folder.file("agent.json")], log: folder.file("log"))
        try await controller.waitForSession()
        controller.send(
            .command(
                Command(
                    id: "c1", resource: "docker/svc-1", generation: 1, driver: "docker", operation: "container.stop",
                    arguments: ["name": "svc-1"], deadlineMs: 600_000)))
        _ = try await eventually("the order at the engine (\(program.output))") {
            engine.requests.contains { $0.line.contains("svc-1") } ? true : nil
        }
        program.signal(SIGTERM)
        if finishes { engine.release() }
        let result = try await controller.result(of: "c1")
        #expect((result.status == .interrupted) == !finishes, "\(result)")
        let code = try await Self.ended(program)
        #expect(code == 0, "an orderly end: \(program.output)")
        engine.stop()
    }

    @Test func `it enrols with a join token, and running it twice is safe`() async throws {
        let controller = try await ScriptedController()
        let authority = controller.authority
        controller.answerEnrolment { request in
            do {
                let csr = try CertificateSigningRequest(pem: request.csr)
                let certificate = try authority.issueNode(
                    csr: csr, nodeID: "node_7", validity: .seconds(86_400), now: Timestamp.now().milliseconds)
                return .enrolled(
                    Enrolled(
                        node: "node_7", certificate: certificate.pem, authority: authority.certificate.pem,
                        controllerName: "controller.test"))
            } catch { return .goodbye(Goodbye(code: .refused, message: "\(error)", retry: false)) }
        }
        let folder = try ScratchFolder("enrol")
        let token = try JoinToken.make(id: "t1", caPin: authority.certificate.publicKeyPin)
        let arguments = [
            "enrol", "--controller", controller.address, "--token", token.text, "--data", folder.file("data"),
        ]
        #expect(try await Self.runAside(arguments) == (0, "enrolled as node_7\n"))
        #expect(try await Self.runAside(arguments) == (0, "already enrolled as node_7\n"))
        var status = stat()
        stat(folder.file("data/identity.json"), &status)
        #expect(status.st_mode & 0o777 == 0o600)
        let program = try BackgroundProgram(
            Self.program, ["run", "--data", folder.file("data")], log: folder.file("log"))
        let hello = try await controller.wait("a hello (\(program.output))", { $0.hellos.first })
        #expect(hello.node == "node_7")
        program.signal(SIGTERM)
        #expect(try await Self.ended(program) == 0)
    }

    @Test func `a refused token and a controller with another key are told in one sentence`() async throws {
        let controller = try await ScriptedController()
        controller.answerEnrolment { _ in
            .goodbye(Goodbye(code: .refused, message: "the token has expired", retry: false))
        }
        let folder = try ScratchFolder("enrol")
        let pin = controller.authority.certificate.publicKeyPin
        func enrol(_ pin: String) async throws -> (Int32, String) {
            let token = try JoinToken.make(id: "t1", caPin: pin).text
            let data = folder.file("data")
            return try await Self.runAside([
                "enrol", "--controller", controller.address, "--token", token, "--data", data,
            ])
        }
        let expired = try await enrol(pin)
        #expect(expired == (1, "innkeeper-agent: the controller refused the enrolment: the token has expired\n"))
        let stranger = try await enrol(String(repeating: "ab", count: 32))
        #expect(stranger.0 == 1)
        #expect(stranger.1.contains("cannot be reached") && stranger.1.contains("certificate was refused"))
    }

    private static func engineAnswer(_ line: String) -> String {
        line.contains("/version") ? #"{"Version":"20.10.24","ApiVersion":"1.41","MinAPIVersion":"1.12"}"# : "[]"
    }

    /// The wait status of a program that is about to end.
    private static func ended(_ program: BackgroundProgram) async throws -> Int32 {
        try await eventually("the end of the agent (\(program.output))", within: .seconds(60)) {
            var status: Int32 = 0
            return waitpid(program.pid, &status, WNOHANG) == program.pid ? status : nil
        }
    }

    /// Runs it on a thread of its own: the test's controller must go on meanwhile.
    private static func runAside(_ arguments: [String]) async throws -> (Int32, String) {
        try await NIOThreadPool.singleton.runIfActive { try run(arguments) }
    }

    private static func run(_ arguments: [String]) throws -> (Int32, String) {
        var pipe: [Int32] = [0, 0]
        guard Glibc.pipe(&pipe) == 0 else { throw SetupFailure("no pipe") }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, pipe[1], 1)
        posix_spawn_file_actions_adddup2(&actions, pipe[1], 2)
        posix_spawn_file_actions_addclose(&actions, pipe[0])
        defer { posix_spawn_file_actions_destroy(&actions) }
        var words = ([program] + arguments).map { strdup($0) } + [nil]
        defer { words.forEach { free($0) } }
        var pid: pid_t = 0
        let code = posix_spawn(&pid, program, &actions, nil, &words, environ)
        close(pipe[1])
        defer { close(pipe[0]) }
        guard code == 0 else { throw SetupFailure("cannot start \(program): \(String(cString: strerror(code)))") }
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while case let count = read(pipe[0], &chunk, chunk.count), count > 0 { text += chunk[..<count] }
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        return ((status >> 8) & 0xFF, String(decoding: text, as: UTF8.self))
    }
}
