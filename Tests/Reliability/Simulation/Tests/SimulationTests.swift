import Processes
import TestSupport
import Testing

/// The quick part: `make simulate` runs many more seeds, in a release build.
@Suite(.serialized, .timeLimit(.minutes(10))) struct `Simulated worlds` {
    private static let program = Checkout.program("innkeeper-simulate")

    /// What the program printed, and how it ended.
    private func simulate(_ arguments: [String]) async throws -> (text: String, code: Int32) {
        let outcome = try await Child.run(
            ProcessRequest(
                Self.program, arguments, deadline: .seconds(540)))
        guard case .code(let code) = outcome.exit else { return ("ended by a signal", -1) }
        return (String(decoding: outcome.stdout + outcome.stderr, as: UTF8.self), code)
    }

    @Test func `whatever goes wrong, every promise is kept`() async throws {
        let (text, code) = try await simulate(["--seeds", "40"])
        #expect(code == 0, "\(text)")
        #expect(text.contains("40 good, 0 bad"), "\(text)")
    }

    @Test func `the same seed is the same story, down to the last step`() async throws {
        let (text, code) = try await simulate(["--seeds", "6", "--first", "1000", "--twice"])
        #expect(code == 0, "\(text)")
        #expect(text.contains("12 good, 0 bad"), "\(text)")
    }

    @Test(arguments: [
        ("receipt-after-effect", "ran twice"), ("stale-generation", "ran after one of generation"),
        ("ack-before-store", "neither stored nor missed"), ("double-allocation", "is held by"),
        ("swallowed-gap", "no rest: "),
    ])
    func `a planted fault is found within a few seeds, and the report says how to see it`(
        plant: String, finding: String
    ) async throws {
        let (text, code) = try await simulate(["--seeds", "30", "--plant", plant])
        #expect(code == 1, "\(text)")
        #expect(text.contains(finding), "\(text)")
        #expect(text.contains("make simulate SEED="), "\(text)")
    }
}
