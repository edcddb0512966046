import Processes
import TestSupport
import Testing

/// The emulated `pct` answers as the recorded sessions of the real one do.
@Suite struct ReplayTests {
    private static let script = Checkout.emulator("replay")

    @Test(.timeLimit(.minutes(15))) func `every recorded command has its recorded answer`() async throws {
        let outcome = try await Child.run(ProcessRequest(String(Self.script), [], deadline: .seconds(800)))
        #expect(outcome.succeeded, "\(outcome.outputText.suffix(8000))\(outcome.errorText.suffix(2000))")
        // Hundreds were compared, none was wrong.
        let summary = try #require(outcome.outputText.split(separator: "\n").last)
        let compared = try #require(Int(summary.prefix { $0.isNumber }))
        #expect(compared > 500, "\(summary)")
    }
}
