import APIModels
import SiteSupport
import TestSupport
import Testing

extension Secrets {
    /// Secrets of every kind are planted in a whole installation that works, fails and crashes; then everything that it
    /// wrote, said and showed is searched for them.
    @Suite(.site) struct FullRunTests {
        @Test func `no planted secret turns up anywhere`() async throws {
            let run = try await PlantedRun(site: Site.settled)
            try await run.logIn()
            try await run.makeAccess()
            try await run.refuse()
            try await run.order()
            try await run.fail()
            try await run.crash()
            try await run.denyByPolicy()
            try await run.backUp()
            let answers = try await run.readEverything()
            let (processes, looks) = run.watch.end()
            #expect(processes == [], "\(processes)")
            #expect(looks > 100)
            #expect(run.search.found(in: answers) == [])
            #expect(run.search.found(in: run.said) == [])
            try run.searchFiles()
        }
    }
}
