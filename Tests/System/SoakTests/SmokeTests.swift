import SiteSupport
import TestSupport
import Processes
import Testing

/// The soak itself, hurried: it must not rot between its long runs. Slopes need more time, its other promises do not.
@Suite(.timeLimit(.minutes(10))) struct SmokeTests {
    @Test func `a short soak keeps every promise`() async throws {
        let folder = try ScratchFolder("smoke")
        let outcome = try await Programs.run(
            "innkeeper-soak",
            [
                try Programs.folder.get(), "--minutes", "0.2", "--agents", "16", "--seed", "3", "--keep",
                folder.file("soak"),
            ])
        #expect(outcome.succeeded, "\(outcome.outputText.suffix(4000))")
        #expect(outcome.outputText.contains("restarts of the controller: 1"))
        #expect(outcome.outputText.contains("samples checked: "))
        let readings = String(decoding: try folder.read("soak/readings.csv"), as: UTF8.self)
        for daemon in ["controller,1", "controller,2", "agent-1,1", "agent-1,2", "agent-2,1"] {
            #expect(readings.contains(",\(daemon),"), "no readings of \(daemon)")
        }
    }
}
