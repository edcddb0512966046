import Glibc
import Model
import Processes
import SiteSupport
import TestSupport
import Testing

extension Secrets {
    /// Files that grew open to others, at the start of the real daemons.
    @Suite struct FileModeTests {
        private func serve(_ installation: Installation) async throws -> (isUp: Bool, log: String) {
            try installation.controller.start()
            let isUp = await eventually(within: .seconds(60)) {
                await installation.front.isReady() || installation.controller.log.contains("innkeeper-controller: ")
            }
            let log = installation.controller.log
            let isReady = await installation.front.isReady()
            await installation.controller.stop()
            return (isUp && isReady, log)
        }

        private func mode(_ path: String) -> mode_t {
            var status = stat()
            return stat(path, &status) == 0 ? status.st_mode & 0o777 : 0
        }

        @Test(
            arguments: [("ca.key", 0o644), ("ca.key", 0o640), ("secrets.key", 0o604), ("", 0o755)] as [(String, mode_t)]
        )
        func `a controller does not start when what cannot be replaced was open`(name: String, bits: mode_t)
            async throws
        {
            let installation = try await Installation("modes")
            let path = installation.folder.file("controller/\(name)")
            chmod(path, bits)
            let (isUp, log) = try await serve(installation)
            #expect(!isUp && log.contains(name.isEmpty ? "controller" : name) && log.contains("chmod"), "\(log)")
            #expect(mode(path) == bits, "it is for a person to decide")
            chmod(path, name.isEmpty ? 0o700 : 0o600)
            #expect(try await serve(installation).isUp)
        }

        @Test(arguments: ["server.key", "tickets.key"])
        func `a key that can be replaced is replaced, and it says so`(name: String) async throws {
            let installation = try await Installation("modes")
            #expect(try await serve(installation).isUp)
            let path = installation.folder.file("controller/\(name)")
            let before = try installation.folder.read("controller/\(name)")
            chmod(path, 0o644)
            let (isUp, log) = try await serve(installation)
            #expect(isUp && log.contains("level=warning") && log.contains("\(name) was open to others"), "\(log)")
            #expect(try installation.folder.read("controller/\(name)") != before)
            #expect(mode(path) == 0o600)
        }

        @Test func `the store is closed to others again, and it says so`() async throws {
            let installation = try await Installation("modes")
            let path = installation.folder.file("controller/controller.sqlite")
            chmod(path, 0o666)
            let (isUp, log) = try await serve(installation)
            #expect(isUp && log.contains("controller.sqlite was open to others"), "\(log)")
            #expect(mode(path) == 0o600)
        }

        @Test func `an agent refuses an open identity and closes its open journal`() async throws {
            let installation = try await Installation("modes")
            try await installation.open()
            try await installation.enrol("agent", label: "a=b")
            let agent = try installation.agent("agent")
            try agent.start()
            try await installation.settle()
            await agent.stop()
            let folder = installation.folder
            chmod(folder.file("agent/identity.json"), 0o640)
            let refused = try await Programs.run("innkeeper-agent", ["run", "--data", folder.file("agent")])
            #expect(refused.exit == .code(1) && refused.errorText.contains("identity.json"), "\(refused.errorText)")
            chmod(folder.file("agent/identity.json"), 0o600)
            for name in ["journal.sqlite", "spool.sqlite"] { chmod(folder.file("agent/\(name)"), 0o644) }
            try agent.start()
            try await installation.settle()
            #expect(agent.log.contains("journal.sqlite was open to others"), "\(agent.log)")
            #expect(mode(folder.file("agent/journal.sqlite")) == 0o600)
            #expect(mode(folder.file("agent/spool.sqlite")) == 0o600)
            await installation.stop()
        }

        @Test func `neither daemon leaves a core dump`() async throws {
            let installation = try await Installation("modes")
            try await installation.open()
            try await installation.enrol("agent", label: "a=b")
            let agent = try installation.agent("agent")
            try agent.start()
            try await installation.settle()
            for daemon in [installation.controller, agent] {
                let limits = String(decoding: Files.read("/proc/\(try #require(daemon.pid))/limits"), as: UTF8.self)
                let line = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") })
                #expect(line.split(separator: " ").dropFirst(4).prefix(2) == ["0", "0"], "\(line)")
            }
            await installation.stop()
        }
    }
}
