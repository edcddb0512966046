import Sessions
import Testing

@Suite struct PositionTrackerTests {
    @Test func `the prefix moves with numbers in order`() {
        var tracker = PositionTracker()
        for sequence in 1...100 as ClosedRange<Int64> { _ = tracker.take(sequence) }
        #expect(tracker.contiguous == 100)
    }

    @Test func `live numbers above a hole are taken but not acknowledged`() {
        var tracker = PositionTracker(contiguous: 10)
        let taken1 = tracker.take(50)
        #expect(taken1)
        let taken2 = tracker.take(51)
        #expect(taken2)
        #expect(tracker.contiguous == 10)
        for sequence in 11...49 as ClosedRange<Int64> { _ = tracker.take(sequence) }
        #expect(tracker.contiguous == 51)
        #expect(tracker.rangesAbove == 0)
    }

    @Test func `a number that is stored is not taken twice`() {
        var tracker = PositionTracker(contiguous: 10)
        let taken3 = tracker.take(10)
        #expect(!taken3)
        let taken4 = tracker.take(12)
        #expect(taken4)
        let taken5 = tracker.take(12)
        #expect(!taken5)
    }

    @Test func `a gap fills the hole it names`() {
        var tracker = PositionTracker(contiguous: 1)
        let taken6 = tracker.take(9)
        #expect(taken6)
        let taken7 = tracker.take(2...8)
        #expect(taken7)
        #expect(tracker.contiguous == 9)
    }

    @Test func `the memory for scattered numbers is bounded`() {
        var tracker = PositionTracker()
        for index in 1...2_000 as ClosedRange<Int64> { _ = tracker.take(index * 3) }
        #expect(tracker.rangesAbove == PositionTracker.maximumRanges)
    }

    @Test func `numbers at the end of the range do not trap`() {
        var tracker = PositionTracker(contiguous: .max - 2)
        let taken8 = tracker.take(.max)
        #expect(taken8)
        let taken9 = tracker.take(.max - 1)
        #expect(taken9)
        #expect(tracker.contiguous == .max)
        let taken10 = tracker.take(.max)
        #expect(!taken10)
    }

    @Test(arguments: [1, 2, 3, 4, 5]) func `any order of arrival reaches the same prefix`(seed: UInt64) {
        var generator = SplitMix(state: seed)
        var numbers = Array(1...200 as ClosedRange<Int64>)
        numbers.shuffle(using: &generator)
        var tracker = PositionTracker()
        var waiting = numbers
        // What did not fit is sent again, as an agent would.
        while !waiting.isEmpty {
            waiting = waiting.filter { !tracker.take($0) && $0 > tracker.contiguous }
        }
        #expect(tracker.contiguous == 200)
    }
}

struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
