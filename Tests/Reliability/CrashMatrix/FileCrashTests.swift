import SiteSupport
import TestSupport
import Testing
import WireProtocol

/// Death at the calls that change files, of programs that make or replace some.
@Suite(.timeLimit(.minutes(Torture.choose(10, long: 120))))
struct FileCrashTests {
    @Test func `files are whole whichever call a program dies at`() async throws {
        var random = Seed.generator()
        let installation = try await Installation("files", configuration: ["log_level": "info"])
        try await installation.open()
        let works: [any FileWork] = [
            InitialisingWork(folder: try ScratchFolder("init")), EnrollingWork(installation),
            StartingWork.first(installation), StartingWork.renewal(installation), FirstServing(),
            BackupWork(installation: installation),
        ]
        var tally = Tally()
        for work in works {
            tally.add(try await work.tally(Torture.choose(1, long: .max), SeededGenerator(seed: random.next())))
        }
        await installation.stop()
        print("calls that change files, \(Seed.words)\n\(tally.table)")
        #expect(tally.faults == [])
        #expect(tally.points > 0 && tally.right == tally.points)
    }
}
