import APIModels
import Glibc
import Processes
import SiteSupport
import TestSupport
import Testing

extension EndToEnd {
    /// `innctl exec -it` on a real pseudo-terminal.
    @Suite struct CommandTerminalTests {
        private func shell(_ laboratory: Laboratory, rows: UInt16 = 30, columns: UInt16 = 100) async throws
            -> TerminalProgram
        {
            let program = try laboratory.terminal(["sh"], rows: rows, columns: columns)
            try #require(await eventually { program.screen.contains("# ") }, "\(program.screen)")
            return program
        }

        @Test func `it has the window's size, at the beginning and when that changes`() async throws {
            let program = try await shell(try await Laboratory.open())
            let grown = await eventually {
                program.type("busybox stty size\r")
                return await eventually(within: .seconds(2)) { program.screen.contains("30 100") }
            }
            #expect(grown, "\(program.screen)")
            program.resize(rows: 41, columns: 123)
            let resized = await eventually {
                program.type("busybox stty size\r")
                return await eventually(within: .seconds(2)) { program.screen.contains("41 123") }
            }
            #expect(resized, "\(program.screen)")
            program.type("exit 3\r")
            #expect(try await program.end() == 3)
            #expect(program.isCooked)
        }

        @Test func `every key goes to the command, Ctrl-C too`() async throws {
            let program = try await shell(try await Laboratory.open())
            #expect(!program.isCooked)
            program.type("echo begun; sleep 1000\r")
            #expect(await eventually { program.screen.contains("\r\nbegun") }, "\(program.screen)")
            program.type("\u{3}")
            program.type("echo $((40 + 2)) alive\r")
            #expect(await eventually { program.screen.contains("42 alive") }, "\(program.screen)")
            program.type("\u{4}")
            #expect(try await program.end() == 130 || program.isCooked)
            #expect(program.isCooked)
        }

        @Test(arguments: [SIGINT, SIGTERM, SIGHUP, SIGQUIT])
        func `a signal ends it here and there, and the terminal is as before`(number: Int32) async throws {
            let laboratory = try await Laboratory.open()
            let program = try laboratory.terminal(["sh", "-c", "echo begun; exec sleep 9\(number)"])
            #expect(await eventually { program.screen.contains("begun") }, "\(program.screen)")
            let operation = try await laboratory.newest().id
            program.signal(number)
            #expect(try await program.end() == 128 + number, "\(program.screen)")
            #expect(program.isCooked)
            #expect(try await laboratory.site.front.ended(operation).state == "cancelled")
            #expect(try await !laboratory.processes().contains("sleep 9\(number)"))
        }

        /// As `timeout` sends it: to the process and at once to its group.
        @Test func `the same signal twice at once is one wish, and the command is called off`() async throws {
            let laboratory = try await Laboratory.open()
            let program = try laboratory.terminal(["sh", "-c", "echo begun; exec sleep 977"])
            #expect(await eventually { program.screen.contains("begun") }, "\(program.screen)")
            let operation = try await laboratory.newest().id
            program.signal(SIGINT)
            program.signal(SIGINT)
            #expect(try await program.end() == 128 + SIGINT, "\(program.screen)")
            #expect(try await laboratory.site.front.ended(operation).state == "cancelled")
            #expect(try await !laboratory.processes().contains("sleep 977"))
        }

        @Test func `a second signal leaves at once, though the node cannot be reached`() async throws {
            let laboratory = try await Laboratory.open()
            let program = try laboratory.terminal(["sh", "-c", "echo begun; exec sleep 800"])
            #expect(await eventually { program.screen.contains("begun") }, "\(program.screen)")
            laboratory.site.agent.freeze()
            program.signal(SIGTERM)
            #expect(try await program.end(within: .seconds(2)) == nil)
            program.signal(SIGTERM)
            #expect(try await program.end() == 128 + SIGTERM)
            #expect(program.isCooked)
            laboratory.site.agent.thaw()
            let operation = try await laboratory.newest().id
            #expect(try await laboratory.site.front.ended(operation).state == "cancelled")
        }

        @Test func `a command that is refused leaves the terminal alone`() async throws {
            let laboratory = try await Laboratory.open()
            let program = try TerminalProgram(
                try Programs.path("innctl"), ["exec", "-it", laboratory.node, Laboratory.closed, "--", "sh"],
                environment: laboratory.environment)
            #expect(try await program.end() == 125)
            #expect(program.isCooked && program.screen.contains("policy"), "\(program.screen)")
        }
    }
}
