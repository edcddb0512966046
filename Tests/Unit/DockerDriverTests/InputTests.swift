import DockerDriver
import DriverKit
import Logging
import TestSupport
import Testing
import WireProtocol

/// Executions that read, and those that never ran.
@Suite struct InputTests {
    func exec(
        _ bench: Workbench, _ name: String, _ command: [JSONValue], with more: JSONObject = [:], _ record: Record,
        input: AsyncStream<[UInt8]>
    ) async throws -> ActionOutcome {
        var arguments: JSONObject = ["name": .string(name), "command": .array(command), "stdin": true]
        for member in more.members { arguments[member.key] = member.value }
        let call = ActionCall(action: "container.exec", resource: "docker/\(name)", arguments: arguments)
        return try await bench.driver.perform(call, record.context(input: input))
    }

    @Test func `input reaches the command, and its end too`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("stdin")
        try await bench.ensure(name)
        let (input, feed) = AsyncStream<[UInt8]>.makeStream()
        let record = Record()
        let running = Task { try await exec(bench, name, ["/bin/cat"], record, input: input) }
        feed.yield(Array("first\n".utf8))
        #expect(await eventually { record.stdout == "first\n" })
        feed.yield(Array("second\n".utf8))
        #expect(await eventually { record.stdout == "first\nsecond\n" })
        feed.finish()
        #expect(try await running.value.observed["exit_code"] == 0)
        try await bench.remove(name)
    }

    @Test func `large input goes through both ways unharmed`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("bulk")
        try await bench.ensure(name)
        let piece = (0..<65536).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        let (input, feed) = AsyncStream<[UInt8]>.makeStream()
        for _ in 0..<64 { feed.yield(piece) }
        feed.finish()
        let record = Record()
        _ = try await exec(bench, name, ["/bin/sh", "-c", "cat; echo end >&2"], record, input: input)
        #expect(record.bytes == Array(repeatElement(piece, count: 64).joined()))
        #expect(record.stderr == "end\n")
        try await bench.remove(name)
    }

    @Test func `a command that reads nothing ends by itself, its code is its own`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("deaf")
        try await bench.ensure(name)
        let (input, feed) = AsyncStream<[UInt8]>.makeStream()
        for _ in 0..<32 { feed.yield([UInt8](repeating: 65, count: 65536)) }
        let outcome = try await exec(bench, name, ["/bin/sh", "-c", "exit 126"], Record(), input: input)
        #expect(outcome.observed["exit_code"] == 126)
        feed.finish()
        try await bench.remove(name)
    }

    @Test func `a terminal is one stream with the size that was asked for`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("tty")
        try await bench.ensure(name)
        let (input, feed) = AsyncStream<[UInt8]>.makeStream()
        let record = Record()
        let running = Task {
            try await exec(
                bench, name, ["/bin/sh"], with: ["tty": true, "rows": 31, "columns": 97], record, input: input)
        }
        feed.yield(Array("[ -t 0 ] && echo a-$((40+2))-terminal\n".utf8))
        #expect(await eventually { record.stdout.contains("a-42-terminal") })
        #expect(
            await eventually {
                feed.yield(Array("/bin/busybox stty size\n".utf8))
                try? await Task.sleep(for: .milliseconds(100))
                return record.stdout.contains("31 97")
            })
        feed.yield(Array("exit 7\n".utf8))
        #expect(try await running.value.observed["exit_code"] == 7)
        feed.finish()
        try await bench.remove(name)
    }

    @Test func `cancelling ends a command that waits for input`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("waits")
        try await bench.ensure(name)
        let (input, feed) = AsyncStream<[UInt8]>.makeStream()
        let record = Record()
        let running = Task {
            try await exec(bench, name, ["/bin/sh", "-c", "echo ready; cat"], record, input: input)
        }
        #expect(await eventually { record.stdout == "ready\n" })
        running.cancel()
        let error = await #expect(throws: DriverError.self) { try await running.value }
        #expect(error?.code == .cancelled)
        #expect(await eventually { (try? await bench.processes(of: name)) == 1 })
        feed.finish()
        try await bench.remove(name)
    }

    @Test(arguments: [("/bin/nothing", "127"), ("/etc/passwd", "126")], [true, false])
    func `what cannot be started says 126 or 127`(program: (String, String), takesInput: Bool) async throws {
        let bench = try await Workbench()
        let name = Workbench.name("refused")
        try await bench.ensure(name)
        let error = await #expect(throws: DriverError.self) {
            try await bench.perform(
                "container.exec",
                ["name": .string(name), "command": [.string(program.0)], "stdin": .bool(takesInput)])
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.cause?.hasPrefix("exit status \(program.1)") == true, "\(error?.cause ?? "")")
        try await bench.remove(name)
    }

    @Test func `a container that is missing or still says 125`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("gone")
        for _ in 0..<2 {
            let error = await #expect(throws: DriverError.self) {
                try await bench.perform("container.exec", ["name": .string(name), "command": ["/bin/true"]])
            }
            #expect(error?.code == .notFound)
            #expect(error?.cause == "exit status 125")
            try await bench.ensure(name, ["running": false])
        }
        try await bench.remove(name)
    }

    @Test(arguments: [
        "HTTP/1.1 409 Conflict\r\n\r\n{\"message\":\"Container x is paused\"}", "HTTP/1.1 ", "\u{0}\u{1}\r\n\r\n",
        "HTTP/1.1 101 UPGRADED\r\n\r\n\u{9}garbage that is no frame",
    ])
    func `an engine that answers a start in its own way is an error`(answer: String) async throws {
        let folder = try ScratchFolder("engine")
        let server = try ScriptedServer(unixSocket: folder.file("docker.sock")) { request in
            if request.line.contains("/version") { return [.respond(200, ScriptedEngineTests.version)] }
            if request.line.contains("/start") { return [.text(answer), .close] }
            if request.line.contains("/containers/web/json") {
                return [.respond(200, #"{"Id":"a1","Name":"/web","State":{"Status":"running","Pid":0}}"#)]
            }
            if request.line.contains("POST") { return [.respond(201, #"{"Id":"e1"}"#)] }
            return [.respond(200, #"{"Running":false,"Pid":0,"ExitCode":0}"#)]
        }
        let driver = Workbench.driver(folder.file("docker.sock"))
        let call = ActionCall(
            action: "container.exec", resource: "docker/web",
            arguments: ["name": "web", "command": ["/bin/true"], "stdin": true])
        await #expect(throws: DriverError.self) { try await driver.perform(call, Record().context) }
        server.stop()
    }
}
