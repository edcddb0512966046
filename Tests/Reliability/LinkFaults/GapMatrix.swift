import FaultProxy
import Model
import Store
import TestSupport
import Testing

/// What happens to the two sides and the link between them while metrics, events and usage flow.
enum Upset: String, Sendable, CaseIterable, CustomTestStringConvertible {
    case agentFirst = "the agent is there first"
    case controllerFirst = "the controller is there first"
    case cut = "the link is cut, again and again"
    case silence = "the network swallows everything for a while"
    case agentRestarts = "the agent restarts"
    case controllerRestarts = "the controller restarts"
    case bothRestart = "both restart"

    var testDescription: String { rawValue }

    /// Begins with both sides down and ends with both up.
    func happen(in house: House, for time: Duration = .milliseconds(700)) async throws {
        if self == .agentFirst {
            try await house.startAgent()
            try await house.live(time)
            try await house.startController()
        } else {
            try await house.startController()
            if self == .controllerFirst { try await house.live(time) }
            try await house.startAgent()
        }
        try await house.live(time)
        try await upset(house, time)
        try await house.live(time)
    }

    func upset(_ house: House, _ time: Duration) async throws {
        switch self {
        case .agentFirst, .controllerFirst: break
        case .cut: try await cuts(house)
        case .silence:
            await house.proxy.fallSilent(for: time)
            try await house.live(time)
        case .agentRestarts:
            await house.stopAgent()
            try await house.live(time)
            try await house.startAgent()
        case .controllerRestarts:
            await house.stopController()
            try await house.live(time)
            try await house.startController()
        case .bothRestart:
            await house.stopController()
            try await house.live(time)
            await house.stopAgent()
            try await house.startAgent()
            try await house.live(time)
            try await house.startController()
        }
    }

    private func cuts(_ house: House) async throws {
        for _ in 0..<8 {
            await house.proxy.cut()
            try await house.live(.milliseconds(150))
        }
    }
}

@Suite(.timeLimit(.minutes(10))) struct `The gap matrix` {
    @Test(arguments: Upset.allCases)
    func `samples, events and usage are the truth, whatever happens`(upset: Upset) async throws {
        let house = try await House()
        house.driver.flow(true)
        try await upset.happen(in: house)
        let books = try await house.expectTruth()
        print(
            "gap matrix: \(upset.rawValue): \(books.samples.count) samples, \(books.events.count) events, "
                + "\(books.usageReports) reports of usage")
        await house.stop()
    }

    @Test(arguments: [Upset.agentFirst, .controllerRestarts, .silence, .bothRestart])
    func `what the spool could not hold is told as gaps, to the number`(upset: Upset) async throws {
        let house = try await House(ballast: 40, spoolBytes: 5000)
        house.driver.flow(true)
        try await upset.happen(in: house, for: .milliseconds(1500))
        // On a busy machine the events alone fill this spool as long as they come so fast.
        #expect(await eventually { (try? await Books(house.store, driver: house.driver).samples.isEmpty) == false })
        let books = try await house.expectTruth(losses: true)
        #expect(books.missing("metrics") > 0)
        #expect(books.gaps.allSatisfy { $0.reason == "the spool was full" })
        print("gap matrix: \(upset.rawValue): \(books.samples.count) samples, \(books.missing("metrics")) in gaps")
        await house.stop()
    }

    /// One after the other, in an order that the seed makes.
    @Test(arguments: Torture.isOn ? 1...20 : 1...1)
    func `a long life with many upsets ends with the truth`(seed: Int) async throws {
        var chance = Chance(seed: UInt64(seed))
        let house = try await House(spoolBytes: 60_000)
        house.driver.flow(true)
        try await house.startController()
        try await house.startAgent()
        for _ in 0..<(Torture.isOn ? 25 : 6) {
            let upset = Upset.allCases.randomElement(using: &chance) ?? .cut
            try await upset.upset(house, .milliseconds(Int.random(in: 100...1500, using: &chance)))
            try await house.live(.milliseconds(Int.random(in: 0...1000, using: &chance)))
        }
        _ = try await house.expectTruth(losses: true)
        await house.stop()
    }
}
