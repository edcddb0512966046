import DockerDriver
import DriverKit
import Glibc
import TestSupport
import Testing
import WireProtocol

@Suite struct ExecutionTests {
    func exec(_ bench: Workbench, _ name: String, _ script: String, _ record: Record) async throws -> ActionOutcome {
        try await bench.perform(
            "container.exec", ["name": .string(name), "command": ["/bin/sh", "-c", .string(script)]], record)
    }

    @Test func `both outputs and the exit code come back`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("exec")
        try await bench.ensure(name)
        let record = Record()
        let outcome = try await exec(bench, name, "echo out; echo err >&2; exit 3", record)
        #expect(record.stdout == "out\n")
        #expect(record.stderr == "err\n")
        #expect(outcome.observed["exit_code"] == 3)
        let killed = try await exec(bench, name, "kill -9 $$", Record())
        #expect(killed.observed["exit_code"] == 137)
        let user = Record()
        try await bench.perform(
            "container.exec",
            [
                "name": .string(name), "command": ["/bin/sh", "-c", "id -u; echo $A$B; cat"], "user": "guest",
                "env": ["A": "plain"],
            ], secrets: ["env": ["B": "secret"]], user)
        #expect(user.stdout == "1000\nplainsecret\n")
        try await bench.remove(name)
    }

    @Test func `a large output arrives whole`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("large")
        try await bench.ensure(name)
        let record = Record()
        _ = try await exec(bench, name, "yes 0123456789abcde | head -c 4000000", record)
        #expect(record.count == 4_000_000)
        #expect(record.stdout.hasSuffix("0123456789abcde\n"))
        try await bench.remove(name)
    }

    @Test(arguments: [("/bin/nothing", "not found"), ("/etc/passwd", "may not be executed")])
    func `a command that cannot be started is an error, not an exit code`(program: String, why: String) async throws {
        let bench = try await Workbench()
        let name = Workbench.name("absent")
        try await bench.ensure(name)
        let error = await #expect(throws: DriverError.self) {
            try await bench.perform("container.exec", ["name": .string(name), "command": [.string(program)]])
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("the command") == true)
        // The same codes from a command itself are its own.
        #expect(try await exec(bench, name, "exit 127", Record()).observed["exit_code"] == 127)
        try await bench.remove(name)
    }

    @Test func `a container that does not run refuses`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("still")
        try await bench.ensure(name, ["running": false])
        let error = await #expect(throws: DriverError.self) { try await exec(bench, name, "true", Record()) }
        #expect(error?.code == .notFound)
        try await bench.remove(name)
    }

    @Test(arguments: ["echo ready; sleep 5000", "trap '' TERM; echo ready; while true; do sleep 1; done"])
    func `cancelling ends the command and what it started`(script: String) async throws {
        let bench = try await Workbench()
        let name = Workbench.name("cancel")
        try await bench.ensure(name)
        let record = Record()
        let running = Task { try await exec(bench, name, script, record) }
        #expect(await eventually { record.stdout == "ready\n" })
        #expect(try await bench.processes(of: name) >= 2)
        running.cancel()
        let error = await #expect(throws: DriverError.self) { try await running.value }
        #expect(error?.code == .cancelled)
        #expect(await eventually { (try? await bench.processes(of: name)) == 1 })
        #expect(try await bench.state(name)["state"] == "running")
        try await bench.remove(name)
    }

    @Test func `a command whose output nobody takes waits, and can be cancelled`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("credit")
        try await bench.ensure(name)
        let record = Record()
        let running = Task { try await exec(bench, name, "yes", record) }
        #expect(await eventually { record.count > 1_000_000 })
        record.block(true)
        try await Task.sleep(for: .milliseconds(300))
        let count = record.count
        try await Task.sleep(for: .milliseconds(300))
        #expect(record.count == count)
        running.cancel()
        let error = await #expect(throws: DriverError.self) { try await running.value }
        #expect(error?.code == .cancelled)
        #expect(await eventually { (try? await bench.processes(of: name)) == 1 })
        try await bench.remove(name)
    }

    @Test func `logs come with both outputs, the last lines first asked for`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("logs")
        try await bench.ensure(
            name, ["command": ["/bin/sh", "-c", "echo one; echo two; echo bad >&2; exec sleep 100000"]])
        let named: JSONObject = ["name": .string(name)]
        #expect(
            await eventually {
                let record = Record()
                _ = try? await bench.perform("container.logs", named, record)
                return record.stdout == "one\ntwo\n" && record.stderr == "bad\n"
            })
        let one = Record()
        let outcome = try await bench.perform("container.logs", ["name": .string(name), "tail": 1], one)
        #expect(one.count == 4)
        #expect(outcome.observed["bytes"] == 4)
        let stamped = Record()
        try await bench.perform("container.logs", ["name": .string(name), "timestamps": true, "since": 0], stamped)
        #expect(stamped.stdout.contains("Z one\n"))
        try await bench.remove(name)
    }

    @Test func `following logs ends with the container, or with the asker`() async throws {
        let bench = try await Workbench()
        let name = Workbench.name("follow")
        try await bench.ensure(name, ["command": ["/bin/sh", "-c", "echo begun; exec sleep 100000"]])
        let arguments: JSONObject = ["name": .string(name), "follow": true]
        let record = Record()
        let cancelled = Task { try await bench.perform("container.logs", arguments, record) }
        #expect(await eventually { record.stdout == "begun\n" })
        cancelled.cancel()
        let error = await #expect(throws: DriverError.self) { try await cancelled.value }
        #expect(error?.code == .cancelled)
        let ended = Task { try await bench.perform("container.logs", arguments) }
        try await bench.perform("container.stop", ["name": .string(name), "grace_s": 0])
        #expect(try await ended.value.observed["bytes"] == 6)
        try await bench.remove(name)
    }
}

extension Workbench {
    /// Processes in a container, as the engine sees them.
    func processes(of name: String) async throws -> Int {
        try await engine.call("GET", "/containers/\(name)/top")["Processes"]?.asArray?.count ?? 0
    }
}
