import DriverKit
import Glibc
import TestSupport
import Testing
import WireProtocol

@testable import ProxmoxDriver

@Suite struct ExecTests {
    private func running() async throws -> EmulatedNode {
        let node = try await EmulatedNode()
        try await node.create(101, ["start": true])
        return node
    }

    @Test func `words, both outputs and the exit code pass as they are`() async throws {
        let node = try await running()
        let heard = Received()
        let script = "echo \"$1|$2\"; echo bad >&2; exit 3"
        let end = try await node.perform(
            "container.exec", ["command": ["sh", "-c", .string(script), "sh", "--keep-env", "a 'b' $(id)"]],
            context: heard.context)
        #expect(end.observed["exit_code"] == 3)
        #expect(heard.text(.stdout) == "--keep-env|a 'b' $(id)\n")
        #expect(heard.text(.stderr) == "bad\n")
    }

    @Test func `a character beyond ASCII arrives as it is`() async throws {
        let node = try await running()
        let heard = Received()
        try await node.perform(
            "container.exec", ["command": ["sh", "-c", "printf '%s|' \"$@\"", "sh", "ü€", "\u{1F408}"]],
            context: heard.context)
        #expect(heard.text(.stdout) == "ü€|\u{1F408}|")
    }

    @Test func `the command has an environment of its own`() async throws {
        let node = try await running()
        setenv("INNKEEPER_TEST_SECRET", "hidden", 1)
        let heard = Received()
        try await node.perform("container.exec", ["command": ["env"]], context: heard.context)
        #expect(heard.text(.stdout).contains("PATH="))
        #expect(!heard.text(.stdout).contains("INNKEEPER") && !heard.text(.stdout).contains("HOME="))
    }

    @Test func `input reaches the command and ends when the asker has sent the last`() async throws {
        let node = try await running()
        let (input, sender) = AsyncStream.makeStream(of: [UInt8].self)
        let heard = Received(input: input)
        sender.yield(Array("one ".utf8))
        sender.yield(Array("two".utf8))
        sender.finish()
        let end = try await node.perform("container.exec", ["command": ["cat"], "stdin": true], context: heard.context)
        #expect(end.observed["exit_code"] == 0)
        #expect(heard.text(.stdout) == "one two")
    }

    @Test func `without input a command that reads comes to its end`() async throws {
        let node = try await running()
        let (input, sender) = AsyncStream.makeStream(of: [UInt8].self)
        defer { sender.finish() }
        let end = try await node.perform(
            "container.exec", ["command": ["cat"]], context: Received(input: input).context)
        #expect(end.observed["exit_code"] == 0)
    }

    @Test func `a missing command, one that exits alike and a stopped container are told apart`() async throws {
        let node = try await running()
        let missing = await #expect(throws: DriverError.self) {
            try await node.perform("container.exec", ["command": ["nope"]])
        }
        #expect(missing?.code == .failed)
        let alike = try await node.perform("container.exec", ["command": ["sh", "-c", "exit 127"]])
        #expect(alike.observed["exit_code"] == 127)
        try await node.perform("container.stop")
        let stopped = await #expect(throws: DriverError.self) {
            try await node.perform("container.exec", ["command": ["true"]])
        }
        #expect(stopped?.code == .conflict)
    }

    @Test(
        arguments: [
            "Configuration file '/etc/ssh/sshd_config'\n ==> Modified since installation.\n",
            "Configuration file 'nodes/pvelab/lxc/101.conf' does not exist\n", "container '101' not running!\n",
            "lxc-attach: 101: something of the guest's own\n",
        ]) func `what a command says itself is not taken for the tool's words`(_ words: String) async throws
    {
        let node = try await running()
        for code in [2, 127, 255] {
            let heard = Received()
            let script: JSONValue = .string("printf %s \"$1\" >&2; exit \(code)")
            let end = try await node.perform(
                "container.exec", ["command": ["sh", "-c", script, "sh", .string(words)]], context: heard.context)
            #expect(end.observed["exit_code"] == .integer(Int64(code)) && heard.text(.stderr) == words)
        }
    }

    @Test func `a terminal and another user are refused in words`() async throws {
        let node = try await running()
        let cases: [JSONObject] = [["tty": true, "rows": 24, "columns": 80], ["user": "www-data"]]
        for more in cases {
            var arguments: JSONObject = ["command": ["true"]]
            for member in more.members { arguments[member.key] = member.value }
            let error = await #expect(throws: DriverError.self) {
                try await node.perform("container.exec", arguments)
            }
            #expect(error?.code == .unsupported)
        }
        #expect(try await node.perform("container.exec", ["command": ["true"], "tty": false, "user": "root"]).changed)
    }

    @Test func `a cancelled command ends inside the container`() async throws {
        let node = try await running()
        let heard = Received()
        let work = Task {
            try await node.perform(
                "container.exec", ["command": ["sh", "-c", "echo ready; exec sleep 600"]], context: heard.context)
        }
        #expect(await eventually { heard.text(.stdout) == "ready\n" })
        work.cancel()
        let error = await #expect(throws: DriverError.self) { try await work.value }
        #expect(error?.code == .cancelled)
        let after = Received()
        try await node.perform("container.exec", ["command": ["ps"]], context: after.context)
        #expect(!after.text(.stdout).contains("sleep 600"))
    }
}
