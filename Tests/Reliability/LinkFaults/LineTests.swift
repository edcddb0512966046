import FaultProxy
import Model
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10))) struct `Lines that are tampered with` {
    static let lines =
        ["hello", "heartbeat", "accepted", "result", "series", "metrics", "usage", "inventory", "event"]
        .map { LineProxy.Line(direction: .up, type: $0) }
        + ["welcome", "heartbeat", "command", "ack"].map { LineProxy.Line(direction: .down, type: $0) }

    /// Each way of tampering with one kind of line, one after the other, while work is ordered and everything flows.
    @Test(arguments: lines)
    func `no tampering with a line does work twice, or loses or repeats a report`(line: LineProxy.Line) async throws {
        let (house, middle) = try await house()
        try await house.work("first", generation: 1)
        for (index, tampering) in LineProxy.Tampering.allCases.enumerated() {
            let isStruck = Mutex(false)
            middle.follow { seen in
                guard seen == line else { return nil }
                return isStruck.withLock { struck in
                    defer { struck = true }
                    return struck ? nil : tampering
                }
            }
            // A new session, so that its first lines come too.
            await house.proxy.cut()
            try await house.work("\(tampering)", generation: Int64(index) + 2)
            let came = await eventually {
                house.driver.happen()
                return isStruck.withLock { $0 }
            }
            guard came else {
                throw SetupFailure("no \(line) came")
            }
            try await house.live(.milliseconds(200))
        }
        middle.follow { _ in nil }
        // Nothing but a new session fills the hole that a lost line leaves.
        await house.proxy.cut()
        _ = try await house.expectTruth()
        await house.stop()
        middle.stop()
    }

    /// Every line may be tampered with.
    @Test(arguments: Torture.isOn ? 1...40 : 1...2)
    func `a link that tampers at random does no work twice`(seed: Int) async throws {
        let (house, middle) = try await house()
        let chance = Mutex(Chance(seed: UInt64(seed)))
        middle.follow { _ in
            chance.withLock { chance in
                guard Int.random(in: 0..<30, using: &chance) == 0 else { return nil }
                return LineProxy.Tampering.allCases.randomElement(using: &chance)
            }
        }
        for number in 1...Torture.choose(8, long: 40) {
            try await house.work("work-\(number)", generation: Int64(number))
            try await house.live(.milliseconds(100))
        }
        middle.follow { _ in nil }
        await house.proxy.cut()
        _ = try await house.expectTruth()
        await house.stop()
        middle.stop()
    }

    private func house() async throws -> (House, LineProxy) {
        let made = Mutex<LineProxy?>(nil)
        let house = try await House { place in
            let proxy = try await LineProxy(place, node: AgentPlace.node)
            made.withLock { $0 = proxy }
            return proxy.port
        }
        let middle = try #require(made.withLock { $0 })
        house.driver.flow(true)
        try await house.startController()
        try await house.startAgent()
        return (house, middle)
    }
}

extension LineProxy.Line: CustomTestStringConvertible {
    var testDescription: String { "\(direction) \(type)" }
}
