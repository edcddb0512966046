import Testing

@testable import Metering

@Suite struct `Usage` {
    private let hour: Int64 = 3_600_000

    private func reading(_ value: Int64, _ time: Int64, _ epoch: String = "e") -> CounterReading {
        CounterReading(epoch: epoch, value: value, time: time)
    }

    @Test func `falls into the windows in which it was measured, in proportion`() {
        let shares = UsageMeter.shares(
            previous: reading(100, hour / 2), reading: reading(400, hour * 2), length: hour)
        #expect(
            shares == [
                UsageShare(window: 0, amount: 100), UsageShare(window: hour, amount: 200),
            ])
        #expect(shares.map(\.amount).reduce(0, +) == 300)
    }

    @Test func `of a new epoch counts from zero`() {
        #expect(
            UsageMeter.shares(previous: nil, reading: reading(50, hour + 1), length: hour)
                == [UsageShare(window: hour, amount: 50)])
        #expect(
            UsageMeter.shares(previous: reading(900, 5, "old"), reading: reading(50, hour + 1), length: hour)
                == [UsageShare(window: hour, amount: 50)])
    }

    @Test func `is nothing for a reading that is repeated, late or lower`() {
        let known = reading(100, hour)
        for value in [reading(100, hour), reading(99, hour * 2), reading(-5, hour), reading(50, 0)] {
            #expect(UsageMeter.shares(previous: known, reading: value, length: hour).isEmpty)
        }
    }

    @Test(arguments: 0..<100)
    func `adds up to the counter exactly, however the readings are spaced`(seed: Int) {
        var random = SeededGenerator(UInt64(seed))
        var known: CounterReading?
        var (value, time, total): (Int64, Int64, Int64) = (0, 0, 0)
        for _ in 0..<40 {
            value += Int64.random(in: 0...(1 << 40), using: &random)
            time += Int64.random(in: 0...hour * 50, using: &random)
            let next = reading(value, time)
            let shares = UsageMeter.shares(previous: known, reading: next, length: hour)
            #expect(shares.allSatisfy { $0.amount > 0 && $0.window <= time && $0.window.isMultiple(of: hour) })
            total += shares.map(\.amount).reduce(0, +)
            known = next
        }
        #expect(total == value)
    }

    @Test func `survives the extremes`() {
        for (before, now) in [(Int64.min, Int64.max), (0, .max), (.min, 0), (0, 1 << 60)] {
            let shares = UsageMeter.shares(
                previous: reading(0, before), reading: reading(.max, now), length: hour)
            #expect(shares.map(\.amount).reduce(0, +) == .max)
            #expect(shares.count <= Int(UsageMeter.maximumWindows))
        }
        #expect(UsageMeter.shares(previous: nil, reading: reading(1, 1), length: 0).isEmpty)
    }

    @Test func `has ids that keep different things apart`() {
        let first = UsageMeter.windowID(subject: "a/1", meter: "b", window: 0)
        #expect(first != UsageMeter.windowID(subject: "a", meter: "1/b", window: 0))
        #expect(first == UsageMeter.windowID(subject: "a/1", meter: "b", window: 0))
    }
}
