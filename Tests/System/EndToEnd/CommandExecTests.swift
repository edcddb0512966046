import APIModels
import Processes
import SiteSupport
import TestSupport
import Testing
import WireProtocol

extension EndToEnd {
    /// `innctl exec` as a program among others.
    @Suite struct CommandExecTests {
        @Test(arguments: [0, 7, 125, 126, 127, 255])
        func `the exit code is the command's own`(code: Int32) async throws {
            let outcome = try await Laboratory.open().exec(["sh", "-c", "exit \(code)"])
            #expect(outcome.exit == .code(code) && outcome.errorText.isEmpty, "\(outcome.errorText)")
        }

        @Test func `what does not run is told by 125, 126 and 127, with the reason`() async throws {
            let laboratory = try await Laboratory.open()
            let absent = try await laboratory.exec(["no-such-program"])
            #expect(absent.exit == .code(127) && absent.errorText.contains("was not found"), "\(absent.errorText)")
            let folder = try await laboratory.exec(["/etc/passwd"])
            #expect(
                folder.exit == .code(126) && folder.errorText.contains("may not be executed"), "\(folder.errorText)")
            let nowhere = try await laboratory.exec(["true"], in: "lab-nowhere")
            #expect(nowhere.exit == .code(125) && nowhere.errorText.contains("no container"), "\(nowhere.errorText)")
        }

        @Test func `both outputs stay apart`() async throws {
            let outcome = try await Laboratory.open().exec(["sh", "-c", "echo out; echo err >&2; echo more"])
            #expect(outcome.outputText == "out\nmore\n" && outcome.errorText == "err\n")
        }

        @Test func `megabytes come out whole and in order`() async throws {
            let outcome = try await Laboratory.open().exec(["busybox", "seq", "1", "800000"])
            #expect(outcome.exit == .code(0), "\(outcome.errorText)")
            let lines = outcome.outputText.split(separator: "\n")
            #expect(lines.count == 800_000)
            #expect(zip(lines, 1...).allSatisfy { $0 == String($1) })
        }

        @Test func `megabytes that are no text go in and come back the same`() async throws {
            let bytes = (0..<3 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 9) }
            let outcome = try await Laboratory.open().exec(["cat"], input: bytes)
            #expect(outcome.exit == .code(0), "\(outcome.errorText)")
            #expect(outcome.stdout == bytes)
        }

        @Test func `two are in one container at the same time`() async throws {
            let laboratory = try await Laboratory.open()
            async let first = laboratory.exec(["sh", "-c", "until [ -e /data/second ]; do sleep 0.1; done; echo first"])
            let second = try await laboratory.exec(["sh", "-c", "echo >/data/second; echo second"])
            #expect(second.outputText == "second\n")
            #expect(try await first.outputText == "first\n")
        }

        @Test func `nothing may be asked without the scope`() async throws {
            let laboratory = try await Laboratory.open()
            let made: APIKey = try await laboratory.site.front.post(
                "/api/v1/keys", #"{"name": "weak", "scopes": ["read", "services", "nodes"]}"#)
            var environment = laboratory.environment
            environment["INNKEEPER_KEY"] = made.secret ?? ""
            let outcome = try await Programs.run(
                "innctl", ["exec", laboratory.node, Laboratory.guest, "--", "true"], environment: environment)
            #expect(outcome.exit == .code(4) && outcome.errorText.contains("commands"), "\(outcome.errorText)")
        }
    }
}
