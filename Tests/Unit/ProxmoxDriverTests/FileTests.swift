import DriverKit
import TestSupport
import Testing
import WireProtocol

@testable import ProxmoxDriver

@Suite struct FileTests {
    private static let content = Array("what is to arrive\n".utf8)
    private static let sum = "a0f8ab8b5bd2ca4dc8c7b7f47a07f2ed1ca8ce2a2b5f6e3e0d7fd4de1e4a1c11"

    private func running(_ settings: JSONObject = [:]) async throws -> EmulatedNode {
        let node = try await EmulatedNode(settings)
        try await node.create(101, ["start": true])
        return node
    }

    private func push(
        _ node: EmulatedNode, _ content: [UInt8] = content, _ more: JSONObject = [:]
    ) async throws(DriverError) -> ActionOutcome {
        let (input, sender) = AsyncStream.makeStream(of: [UInt8].self)
        sender.yield(content)
        sender.finish()
        var arguments: JSONObject = ["path": "/etc/note", "size_bytes": .integer(Int64(content.count))]
        for member in more.members { arguments[member.key] = member.value }
        return try await node.perform("container.push", arguments, context: Received(input: input).context)
    }

    private func shell(_ node: EmulatedNode, _ script: String) async throws -> String {
        let heard = Received()
        try await node.perform(
            "container.exec", ["command": ["sh", "-c", .string(script)]], context: heard.context)
        return heard.text(.stdout)
    }

    @Test func `a file arrives whole, with its permissions, in the place of an older one`() async throws {
        let node = try await running()
        _ = try await shell(node, "echo old > /etc/note")
        let end = try await push(node, Self.content, ["mode": "0640"])
        #expect(end.changed && end.observed["size_bytes"] == .integer(Int64(Self.content.count)))
        #expect(try await shell(node, "cat /etc/note; stat -c %a /etc/note") == "what is to arrive\n640\n")
        #expect(try await shell(node, "ls /etc | grep -c innkeeper") == "0\n")
        let sum = try #require(end.observed["sha256"])
        #expect(try await push(node, Self.content, ["sha256": sum]).changed)
    }

    @Test func `two files whose names differ beyond ASCII are two files`() async throws {
        let node = try await running()
        for name in ["ä", "ö"] { _ = try await push(node, Array(name.utf8), ["path": .string("/root/\(name)")]) }
        #expect(try await shell(node, "cd /root; cat ä ö") == "äö")
    }

    @Test func `content of a size that nobody knows is taken to its end`() async throws {
        let node = try await running()
        let end = try await push(node, Self.content, ["size_bytes": nil, "mode": "600"])
        #expect(end.observed["size_bytes"] == .integer(Int64(Self.content.count)))
        #expect(try await shell(node, "cat /etc/note; stat -c %a /etc/note") == "what is to arrive\n600\n")
        let spool = try #require(SpoolFile())
        defer { spool.remove() }
        let (input, sender) = AsyncStream.makeStream(of: [UInt8].self)
        sender.yield([1, 2, 3])
        sender.finish()
        let error = await #expect(throws: DriverError.self) { try await spool.take(input, bytes: nil, limit: 2) }
        #expect(error?.code == .conflict)
    }

    @Test func `a push that arrived in part is told, and the older file stays`() async throws {
        let node = try await running(["push_limit": 1000])
        _ = try await shell(node, "echo old > /etc/note")
        let error = await #expect(throws: DriverError.self) {
            try await push(node, [UInt8](repeating: 0x61, count: 300_000))
        }
        #expect(error?.code == .outOfSpace && error?.message.contains("1000 of 300000") == true)
        #expect(try await shell(node, "cat /etc/note; ls /etc | grep -c innkeeper") == "old\n0\n")
    }

    @Test func `content that ends early, is too much or has another checksum is not written`() async throws {
        let node = try await running()
        let cases: [(JSONObject, DriverErrorCode, Bool)] = [
            (["size_bytes": 1000], .failed, true), (["size_bytes": 3], .conflict, false),
            (["sha256": .string(Self.sum)], .failed, true),
        ]
        for (more, code, retry) in cases {
            let error = await #expect(throws: DriverError.self) { try await push(node, Self.content, more) }
            #expect(error?.code == code && error?.retryable == retry)
        }
        #expect(try await shell(node, "test -e /etc/note; echo $?") == "1\n")
    }

    @Test func `a folder, a missing folder and a path that is none are refused`() async throws {
        let node = try await running()
        let cases: [(String, DriverErrorCode)] = [
            ("/etc", .conflict), ("/nowhere/note", .failed), ("note", .invalidArgument), ("/", .invalidArgument),
            ("-x", .invalidArgument),
        ]
        for (path, code) in cases {
            let error = await #expect(throws: DriverError.self) {
                try await push(node, Self.content, ["path": .string(path)])
            }
            #expect(error?.code == code, "\(path)")
        }
    }

    @Test func `a name with every kind of character is a name and nothing else`() async throws {
        let node = try await running()
        let name = "/tmp/-a $(touch x) 'b' \"c\"; d"
        _ = try await push(node, Self.content, ["path": .string(name)])
        let heard = Received()
        try await node.perform("container.pull", ["path": .string(name)], context: heard.context)
        #expect(heard.bytes(.stdout) == Self.content)
    }

    @Test func `a file comes out as it is, and its size and checksum are told`() async throws {
        let node = try await running()
        _ = try await shell(node, "dd if=/dev/urandom of=/tmp/big bs=1000 count=700 2>/dev/null")
        let heard = Received()
        let end = try await node.perform("container.pull", ["path": "/tmp/big"], context: heard.context)
        #expect(!end.changed && end.observed["size_bytes"] == 700_000 && heard.bytes(.stdout).count == 700_000)
        #expect(
            try await shell(node, "sha256sum /tmp/big | cut -d' ' -f1") == (end.observed["sha256"]?.asString ?? "")
                + "\n")
    }

    @Test func `a pull of what is not there, is too large or came in part is an error with nothing sent`() async throws
    {
        let node = try await running(["pull_limit": 10])
        _ = try await shell(node, "echo 0123456789abcdef > /tmp/note")
        let cases: [(JSONObject, DriverErrorCode)] = [
            (["path": "/tmp/nope"], .notFound), (["path": "/tmp"], .notFound),
            (["path": "/tmp/note", "max_bytes": 3], .conflict), (["path": "/tmp/note"], .failed),
        ]
        for (arguments, code) in cases {
            let heard = Received()
            let error = await #expect(throws: DriverError.self) {
                try await node.perform("container.pull", arguments, context: heard.context)
            }
            #expect(error?.code == code && heard.bytes(.stdout) == [])
        }
    }

    @Test func `nothing goes into or out of a container that does not run`() async throws {
        let node = try await EmulatedNode()
        try await node.create()
        let into = await #expect(throws: DriverError.self) { try await push(node) }
        let outOf = await #expect(throws: DriverError.self) {
            try await node.perform("container.pull", ["path": "/etc/passwd"])
        }
        #expect(into?.code == .conflict && outOf?.code == .conflict)
    }

    @Test func `a node without room for the content says so`() async throws {
        let folder = try ScratchFolder("spool")
        let disk = try await SmallDisk(at: folder.path, bytes: 1 << 20)
        let spool = try #require(SpoolFile(in: disk.path(".")))
        let (first, firstSender) = AsyncStream.makeStream(of: [UInt8].self)
        firstSender.yield([1])
        firstSender.finish()
        try await spool.take(first, bytes: 1)
        try disk.fill()
        let (input, sender) = AsyncStream.makeStream(of: [UInt8].self)
        sender.yield([UInt8](repeating: 1, count: 100_000))
        sender.finish()
        let error = await #expect(throws: DriverError.self) { try await spool.take(input, bytes: 100_000) }
        #expect(error?.code == .outOfSpace)
        spool.remove()
    }
}
