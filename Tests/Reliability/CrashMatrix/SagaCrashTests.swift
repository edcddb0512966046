import Glibc
import SiteSupport
import TestSupport
import Testing

/// `kill -9` of either daemon at the durable writes of all that the product does. Afterwards everything is as if nothing
/// had happened, and what could not be known is said.
@Suite(.timeLimit(.minutes(Torture.choose(10, long: 120))))
struct SagaCrashTests {
    @Test func `sagas end right whichever durable write a daemon dies at`() async throws {
        var random = Seed.generator()
        let lanes: [[Saga]] = Torture.choose(
            [Saga.allCases], long: [[.provision, .terminate], Saga.changes, [.failure, .cancellation]])
        let seeds = lanes.map { _ in SeededGenerator(seed: random.next()) }
        let tally = try await withThrowingTaskGroup(of: Tally.self) { group in
            for (sagas, seed) in zip(lanes, seeds) {
                group.addTask { try await Self.run(sagas, seed) }
            }
            return try await group.reduce(into: Tally()) { $0.add($1) }
        }
        print("durable writes of sagas, \(Seed.words)\n\(tally.table)")
        #expect(tally.faults == [])
        #expect(tally.points > 0 && tally.right == tally.points)
        // Statements change. One that is known no more is a write at which nobody dies.
        let missed = Recording.kinds.subtracting(tally.kinds)
        #expect(missed.isEmpty || Lane.only != nil, "no saga has made \(missed)")
    }

    /// SQLite moves its log into the database at every commit here, so that the death comes in the middle of that.
    @Test func `sagas end right when a daemon dies while its database takes in the log`() async throws {
        var random = Seed.generator()
        let tally = try await Self.run(
            Torture.choose([.suspend], long: [.suspend, .upgrade]), SeededGenerator(seed: random.next()), .calls,
            Torture.choose(2, long: 60))
        print("writes of checkpoints, \(Seed.words)\n\(tally.table)")
        #expect(tally.faults == [])
        #expect(tally.points > 0 && tally.right == tally.points)
    }

    private static func run(
        _ sagas: [Saga], _ seed: SeededGenerator, _ scope: Strike.Scope = .commits,
        _ count: Int = Torture.choose(1, long: .max)
    ) async throws -> Tally {
        let site = try await CrashSite.start(checkpoint: scope == .calls ? 1 : nil)
        let lane = Lane(site, scope)
        do {
            try await lane.record(sagas)
            await lane.sample(count, seed)
            try await lane.run()
        } catch {
            print("so far:\n\(await lane.tally.table)\n\(await lane.tally.faults)")
            await site.stop()
            throw error
        }
        await site.stop()
        return await lane.tally
    }
}

/// Which points the quick part takes: others each time, unless INNKEEPER_SEED says which.
enum Seed {
    static let value = getenv("INNKEEPER_SEED").flatMap { UInt64(String(cString: $0)) } ?? .random(in: 1...999_999)
    static var words: String { Torture.isOn ? "all of them" : "a sample: INNKEEPER_SEED=\(value) takes the same" }
    static func generator() -> SeededGenerator { SeededGenerator(seed: value) }
}
