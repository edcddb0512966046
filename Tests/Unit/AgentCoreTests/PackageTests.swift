import Glibc
import Model
import TestSupport
import Testing

/// What the Debian packages bring beside the programs, as far as it must fit to them. `make deb-test` tries the rest.
@Suite(.timeLimit(.minutes(2))) struct `The packaged files` {
    private static let folder = "\(Checkout.root)/packaging/deb"

    private func text(_ path: String) throws -> String {
        guard let file = fopen("\(Self.folder)/\(path)", "r") else { throw SetupFailure("there is no \(path)") }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }

    /// The value of a key of a unit, which is there once.
    private func setting(_ key: String, of unit: String) throws -> String {
        let lines = try text(unit).split(separator: "\n").filter { $0.hasPrefix("\(key)=") }
        try #require(lines.count == 1, "\(key) in \(unit)")
        return String(lines[0].dropFirst(key.count + 1))
    }

    @Test func `the agent can be started with its configuration and its policy`() async throws {
        let folder = try ScratchFolder("package")
        try folder.write(Array(text("agent/policy.json").utf8), to: "policy.json")
        let packaged = try text("agent/agent.json").split(separator: #""/etc/innkeeper/policy.json""#)
        try #require(packaged.count == 2)
        try folder.write(Array(packaged.joined(separator: "\"\(folder.file("policy.json"))\"").utf8), to: "agent.json")
        let (_, text) = try await AgentProgram.runAside([
            "doctor", "--data", folder.file("data"), "--config", folder.file("agent.json"),
        ])
        #expect(text.contains("agent.json is valid"), "\(text)")
    }

    @Test func `the agent's unit says what the program understands, and waits longer than running commands may take`()
        async throws
    {
        let words = try setting("ExecStart", of: "agent/innkeeper-agent.service").split(separator: " ").map(String.init)
        let folder = try ScratchFolder("package")
        // The same words with a folder of no node, and without the configuration, which may not be on this machine.
        #expect(words[1...3] == ["run", "--data", "/var/lib/innkeeper/agent"] && words[4] == "--config")
        let (code, text) = try await AgentProgram.runAside([words[1], words[2], folder.path])
        #expect(code == 1 && text.contains("belongs to no node yet"), "\(text)")
        let digits = try self.text("agent/agent.json").split(separator: "\n").filter { $0.contains("stop_grace_s") }
        let grace = try #require(digits.first.flatMap { Int($0.filter(\.isNumber)) })
        let patience = try #require(Int(setting("TimeoutStopSec", of: "agent/innkeeper-agent.service")))
        #expect(patience >= grace + 60)
    }

    @Test func `the changelog is of this version`() throws {
        #expect(try text("changelog").hasPrefix("innkeeper (\(Version.current)) "))
    }
}
