import APIModels
import FaultProxy
import Glibc
import Processes
import SiteSupport
import TestSupport
import Testing

extension EndToEnd {
    /// What happens to a command in a guest when something between it and its asker breaks.
    @Suite struct CommandTroubleTests {
        /// Counts up to what was asked for, as soon as the file says that it may go on.
        private static func script(_ name: String) -> [String] {
            ["sh", "-c", "echo begun; until [ -e /data/\(name) ]; do sleep 0.1; done; busybox seq 1 9000; exit 5"]
        }

        private static func cuts(_ agent: Daemon) -> Int {
            agent.log.split(separator: "\n").count { $0.contains("not connected") }
        }

        private func release(_ name: String, _ laboratory: Laboratory) async throws {
            _ = try await laboratory.site.engines.execute(in: Laboratory.guest, "sh", "-c", "echo > /data/\(name)")
        }

        private func expectWhole(_ outcome: ProcessOutcome) {
            #expect(outcome.exit == .code(5), "\(outcome.errorText)")
            let wanted = "begun\n" + (1...9000).map { "\($0)\n" }.joined()
            #expect(outcome.outputText == wanted, "\(outcome.stdout.count) of \(wanted.utf8.count) bytes")
        }

        /// Runs the script, breaks something once it has begun, lets it go on, and gives its end.
        private func run(
            _ name: String, _ laboratory: Laboratory, breaking: () async throws -> Void
        ) async throws -> ProcessOutcome {
            async let outcome = laboratory.exec(Self.script(name))
            #expect(try await eventually { try await laboratory.processes().contains("/data/\(name)") })
            try await breaking()
            try await release(name, laboratory)
            return try await outcome
        }

        @Test func `the link is cut: it goes on, and nothing of its output is lost`() async throws {
            let laboratory = try await Laboratory.open()
            let outcome = try await run("cut", laboratory) {
                // What is on its way at that moment is lost, with the jump in its offsets told; here nothing is.
                let agent = laboratory.site.agent
                let cuts = Self.cuts(agent)
                await laboratory.site.link.cut()
                #expect(await eventually { Self.cuts(agent) > cuts })
            }
            expectWhole(outcome)
        }

        @Test func `the controller is killed: it goes on, and its end is told`() async throws {
            let laboratory = try await Laboratory.open()
            let outcome = try await run("killed", laboratory) {
                try await laboratory.site.controller.restart()
                try await laboratory.site.settle()
            }
            expectWhole(outcome)
        }

        @Test func `the agent is killed: nobody knows how far it came, and that is said`() async throws {
            let laboratory = try await Laboratory.open()
            let outcome = try await run("agent", laboratory) {
                try await laboratory.site.agent.restart()
                try await laboratory.site.settle()
            }
            #expect(outcome.exit == .code(125))
            #expect(outcome.errorText.contains("the agent stopped while the command ran"), "\(outcome.errorText)")
            #expect(try await laboratory.newest().state == "needs_attention")
            #expect(try await laboratory.exec(["echo", "again"]).outputText == "again\n")
        }

        @Test func `innctl is killed: the command is called off, and nothing is left on the node`() async throws {
            let laboratory = try await Laboratory.open()
            let program = try laboratory.terminal(["sh", "-c", "echo begun; exec sleep 777"])
            #expect(await eventually { program.screen.contains("begun") }, "\(program.screen)")
            let operation = try await laboratory.newest().id
            program.signal(SIGKILL)
            #expect(try await laboratory.site.front.ended(operation).state == "cancelled")
            let log = try await laboratory.site.front.log(operation)
            #expect(log.contains { $0.contains("nobody follows it any more") }, "\(log)")
            #expect(try await !laboratory.processes().contains("sleep 777"))
        }

        @Test func `nobody reads what innctl says any more: the command is called off`() async throws {
            let laboratory = try await Laboratory.open()
            let script =
                #"'\#(try Programs.path("innctl"))' exec \#(laboratory.node) \#(Laboratory.guest) -- yes | head -n 1"#
            let outcome = try await Child.run(
                ProcessRequest(
                    "/bin/bash", ["-c", "set -o pipefail; " + script], environment: laboratory.environment,
                    deadline: .seconds(120)))
            #expect(outcome.outputText == "y\n" && outcome.exit == .code(128 + SIGPIPE), "\(outcome.exit)")
            #expect(try await laboratory.site.front.ended(laboratory.newest().id).state == "cancelled")
            #expect(try await !laboratory.processes().contains(" yes"))
        }

        @Test func `its time is over: it is ended, and that is said`() async throws {
            let laboratory = try await Laboratory.open()
            let outcome = try await laboratory.exec(["sleep", "555"], options: ["--deadline", "1s"])
            #expect(outcome.exit == .code(125) && outcome.errorText.contains("deadline"), "\(outcome.errorText)")
            #expect(try await !laboratory.processes().contains("sleep 555"))
        }
    }
}
