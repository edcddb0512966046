import SiteSupport
import TestSupport
import Testing
import WireProtocol

/// `kill -9` of either daemon at the durable writes of what is done with sites: containers of an emulated Proxmox, DNS, a proxy.
@Suite(.timeLimit(.minutes(Torture.choose(10, long: 120))))
struct SiteCrashTests {
    @Test func `sites end right whichever durable write a daemon dies at`() async throws {
        var random = Seed.generator()
        let seed = SeededGenerator(seed: random.next())
        let traps = LifeTraps()
        try await SiteTown.with(
            configuration: ["sample_ms": 3_600_000, "inventory_ms": 86_400_000, "log_level": "info"],
            wrappers: { try await traps.set(in: $0, agent: SiteTown.node) }
        ) { town in
            let lane = LifeLane(SiteLife(town: town), traps.all)
            try await lane.record()
            await lane.sample(Torture.choose(1, long: .max), seed)
            do { try await lane.run() } catch {
                print("so far:\n\(await lane.tally.table)\n\(await lane.tally.faults)")
                throw error
            }
            let tally = await lane.tally
            print("durable writes of sites, \(Seed.words)\n\(tally.table)")
            #expect(tally.faults == [])
            #expect(tally.points > 0 && tally.right == tally.points)
        }
    }
}
