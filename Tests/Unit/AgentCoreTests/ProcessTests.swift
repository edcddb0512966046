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
    @Test func `a wrong command line is one sentence and exit code 64`() throws {
        let (code, text) = try AgentProgram.run(["run", "--dat", "/tmp"])
        #expect(code == 64)
        #expect(text == "innkeeper-agent: --dat is not an option of run; see --help\n")
        #expect(try AgentProgram.run(["--version"]) == (0, "innkeeper-agent \(Version.current)\n"))
        let (missing, words) = try AgentProgram.run(["enrol", "--controller", "localhost:1", "--data", "/tmp/x"])
        #expect(missing == 64)
        #expect(words == "innkeeper-agent: enrol needs --token\n")
    }

    @Test func `a data folder of no node, and one that is in use, are named`() throws {
        let folder = try ScratchFolder("process")
        let (code, text) = try AgentProgram.run(["run", "--data", folder.path])
        #expect(code == 1)
        #expect(text == "innkeeper-agent: \(folder.path) belongs to no node yet: run innkeeper-agent enrol first\n")
        let held = try DataDirectory(folder.path)
        let (second, words) = try AgentProgram.run(["run", "--data", folder.path])
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
        let first = try BackgroundProgram(AgentProgram.program, arguments, log: folder.file("first.log"))
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
        _ = try await AgentProgram.ended(first)
        let second = try BackgroundProgram(AgentProgram.program, arguments, log: folder.file("second.log"))
        let result = try await controller.result(of: "c1")
        #expect(result.status == .interrupted)
        #expect(result.error?.code == .interrupted)
        #expect(controller.lines.hellos.last?.receipts == [ReceiptReport(id: "c1", status: .interrupted)])
        controller.send(command)
        let again = try await controller.result(of: "c1", after: 1)
        #expect(again.status == .interrupted && again.replayed)
        #expect(engine.requests.filter { $0.line.contains("svc-1") }.count == 1)
        second.signal(SIGTERM)
        let code = try await AgentProgram.ended(second)
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
            AgentProgram.program, ["run", "--data", data, "--config", folder.file("agent.json")],
            log: folder.file("log"))
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
        let code = try await AgentProgram.ended(program)
        #expect(code == 0, "an orderly end: \(program.output)")
        engine.stop()
    }

    private static func engineAnswer(_ line: String) -> String {
        line.contains("/version") ? #"{"Version":"20.10.24","ApiVersion":"1.41","MinAPIVersion":"1.12"}"# : "[]"
    }
}
