import FaultProxy
import TestSupport
import Testing

/// Faults of the network, at the bytes that a seed chooses.
@Suite(.timeLimit(.minutes(15))) struct `Bad weather on the link` {
    static let all = PlannedWeather.plans(quick: 1...1, long: 1...30, connections: 6)

    @Test(arguments: all)
    func `work is done once and every report arrives, and the session is back soon after the last fault`(
        weather: PlannedWeather
    ) async throws {
        let house = try await House(weather.plan)
        house.driver.flow(true)
        try await house.startController()
        try await house.startAgent()
        var generation: Int64 = 0
        let end = ContinuousClock.now + .seconds(Torture.choose(12, long: 40))
        while .now < end, await house.proxy.strikes.count < 6 {
            generation += 1
            try await house.work("work-\(generation)", generation: generation)
            try await house.live(.milliseconds(100))
        }
        let strikes = await house.proxy.strikes
        #expect(!strikes.isEmpty, "no fault has struck")
        await house.proxy.follow(.none)
        try await house.work("last", generation: generation + 1)
        #expect(house.driver.work.values.allSatisfy { $0 == 1 })
        let books = try await house.expectTruth()
        print("\(weather.plan): \(generation + 1) orders, \(books.samples.count) samples, \(strikes)")
        await house.stop()
    }
}
