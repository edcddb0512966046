import TestSupport
import Testing

@testable import Metering

@Suite struct `Usage` {
    private let hour: Int64 = 3_600_000

    private func reading(_ value: Int64, _ time: Int64, _ epoch: String = "e") -> CounterReading {
        CounterReading(epoch: epoch, value: value, time: time)
    }

    @Test func `falls into the windows in which it was measured, in proportion`() {
        let shares = UsageMeter.shares(
            previous: reading(100, hour / 2), reading: reading(400, hour * 2))
        #expect(
            shares == [
                UsageShare(window: 0, amount: 100), UsageShare(window: hour, amount: 200),
            ])
        #expect(shares.map(\.amount).reduce(0, +) == 300)
    }

    @Test func `of a new epoch counts from zero`() {
        #expect(
            UsageMeter.shares(previous: nil, reading: reading(50, hour + 1))
                == [UsageShare(window: hour, amount: 50)])
        #expect(
            UsageMeter.shares(previous: reading(900, 5, "old"), reading: reading(50, hour + 1))
                == [UsageShare(window: hour, amount: 50)])
    }

    @Test func `is nothing for a reading that is repeated, late or lower`() {
        let known = reading(100, hour)
        for value in [reading(100, hour), reading(99, hour * 2), reading(-5, hour), reading(50, 0)] {
            #expect(UsageMeter.shares(previous: known, reading: value).isEmpty)
        }
    }

    @Test(arguments: 0..<100)
    func `adds up to the counter exactly, however the readings are spaced`(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var known: CounterReading?
        var (value, time, total): (Int64, Int64, Int64) = (0, 0, 0)
        for _ in 0..<40 {
            value += Int64.random(in: 0...(1 << 40), using: &random)
            time += Int64.random(in: 0...hour * 50, using: &random)
            let next = reading(value, time)
            let shares = UsageMeter.shares(previous: known, reading: next)
            #expect(shares.allSatisfy { $0.amount > 0 && $0.window <= time && $0.window.isMultiple(of: hour) })
            total += shares.map(\.amount).reduce(0, +)
            known = next
        }
        #expect(total == value)
    }

    @Test func `survives the extremes`() {
        for (before, now) in [(Int64.min, Int64.max), (0, .max), (.min, 0), (0, 1 << 60)] {
            let shares = UsageMeter.shares(
                previous: reading(0, before), reading: reading(.max, now))
            #expect(shares.map(\.amount).reduce(0, +) == .max)
            #expect(shares.count <= UsageMeter.maximumWindows)
        }
    }

    @Test func `falls into longer windows where nothing was heard for long`() {
        func shares(_ hours: Int64, limit: Int = UsageMeter.maximumWindows) -> [UsageShare] {
            UsageMeter.shares(previous: reading(0, 0), reading: reading(1_000_000, hours * hour), limit: limit)
        }
        for (hours, limit, length) in [
            (Int64(60), 62, hour), (70, 62, hour * 24), (24 * 61, 62, hour * 24), (24 * 80, 62, hour * 24 * 30),
            (24 * 80, 5, hour * 24 * 30), (1, 2, hour),
        ] {
            let found = shares(hours, limit: limit)
            #expect(found.count <= limit && found.allSatisfy { $0.length == length }, "\(hours) hours")
            #expect(found.map(\.amount).reduce(0, +) == 1_000_000)
            #expect(found.allSatisfy { $0.window.isMultiple(of: length) })
        }
        // So far that no length is enough: all of it in the last.
        #expect(shares(24 * 30 * 1000, limit: 5).map(\.amount) == [1_000_000])
    }

    @Test func `has ids that keep different things apart`() {
        func id(
            _ subject: String, _ service: String, _ meter: String, _ share: UsageShare, node: String = "n"
        ) -> String {
            UsageMeter.windowID(node: node, subject: subject, service: service, meter: meter, share: share)
        }
        let share = UsageShare(window: 0, amount: 1)
        let first = id("a/1", "b", "c", share)
        #expect(first != id("a", "1/b", "c", share))
        #expect(first != id("a/1", "b", "c", share, node: "m"))
        #expect(first != id("a/1", "b", "c", UsageShare(window: 0, length: hour * 24, amount: 1)))
        #expect(first == id("a/1", "b", "c", UsageShare(window: 0, amount: 2)))
    }
}

@Suite struct `What a meter can grow by` {
    @Test func `is what the machine has, within what any machine can have`() {
        // Two processors for an hour, and for the slack.
        #expect(MeterCeiling(meter: "cpu_ms", cpuMillis: 2000).amount(in: 3_600_000) == 2000 * 3900)
        #expect(MeterCeiling(meter: "cpu_ms", cpuMillis: 1 << 40).perSecond == 4_096_000)
        #expect(MeterCeiling(meter: "disk_mib_seconds", diskBytes: 100 << 20).perSecond == 100)
        #expect(MeterCeiling(meter: "disk_mib_seconds", diskBytes: .max).perSecond == 1 << 33)
    }

    @Test func `is never below nothing nor past the largest number`() {
        for meter in ["cpu_ms", "disk_mib_seconds", "network_rx_bytes", "anything"] {
            for time in [Int64.min, -1, 0, 1, 3_600_000, .max - 1, .max] {
                let amount = MeterCeiling(meter: meter).amount(in: time)
                #expect(amount > 0)
                #expect(amount <= MeterCeiling(meter: meter).amount(in: .max))
            }
        }
    }
}
