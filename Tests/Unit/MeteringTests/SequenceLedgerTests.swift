import TestSupport
import Testing

@testable import Metering

/// The macro cannot call a mutating function itself.
private func insert(_ number: Int64, _ ledger: inout SequenceLedger) -> Bool { ledger.insert(number) }

private func settle(_ first: Int64, _ ledger: inout SequenceLedger) -> [ClosedRange<Int64>] {
    ledger.settle(from: first)
}

@Suite struct `A ledger of sequence numbers` {
    @Test func `acknowledges only what has no hole before it`() {
        var ledger = SequenceLedger(position: 10)
        #expect(insert(11, &ledger))
        #expect(insert(14, &ledger))
        #expect(insert(13, &ledger))
        #expect(ledger.position == 11)
        #expect(ledger.beyond == [13...14])
        #expect(!insert(13, &ledger))
        #expect(!insert(5, &ledger))
        #expect(insert(12, &ledger))
        #expect(ledger == SequenceLedger(position: 14))
    }

    @Test func `starts with the first number`() {
        var ledger = SequenceLedger()
        #expect(insert(500, &ledger))
        #expect(ledger.position == 500)
        #expect(!insert(.max, &ledger))
    }

    @Test func `takes a declared gap for stored`() {
        var ledger = SequenceLedger(position: 0)
        #expect(insert(7, &ledger))
        ledger.skip(1...6)
        #expect(ledger.position == 7)
        ledger.skip(3...20)
        #expect(ledger.position == 20)
        ledger.skip(0...Int64.max)
        #expect(ledger.position == 20)
    }

    @Test func `settles what a node holds when it connects`() {
        var ledger = SequenceLedger(position: 100, beyond: [120...130])
        #expect(settle(90, &ledger) == [])
        #expect(ledger == SequenceLedger(position: 100, beyond: [120...130]))
        #expect(settle(115, &ledger) == [101...114])
        #expect(ledger == SequenceLedger(position: 114, beyond: [120...130]))
        #expect(settle(1, &ledger) == [])
        #expect(ledger == SequenceLedger(position: 114, beyond: [120...130]))
        #expect(settle(.min, &ledger) == [])
        #expect(settle(141, &ledger) == [115...119, 131...140])
        #expect(ledger == SequenceLedger(position: 140))
        ledger = SequenceLedger(position: 114, beyond: [120...130])
        #expect(settle(121, &ledger) == [115...119])
        #expect(ledger == SequenceLedger(position: 130))
        var unknown = SequenceLedger()
        #expect(settle(5, &unknown) == [])
        #expect(unknown == SequenceLedger())
    }

    @Test(arguments: 0..<100)
    func `agrees with a plain set`(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        var ledger = SequenceLedger(position: 0)
        var plain: Set<Int64> = []
        for _ in 0..<400 {
            let number = Int64.random(in: 1...150, using: &random)
            if Int.random(in: 0..<10, using: &random) == 0 {
                let range = number...min(number + Int64.random(in: 0...9, using: &random), 150)
                #expect(Set(ledger.missing(in: range).flatMap { Array($0) }) == Set(range).subtracting(plain))
                ledger.skip(range)
                plain.formUnion(range)
            } else {
                let isNew = plain.insert(number).inserted
                #expect(insert(number, &ledger) == isNew)
            }
            let prefix = (1...151).first { !plain.contains($0) }! - 1
            #expect(ledger.position == prefix)
            #expect(Set(ledger.beyond.flatMap { Array($0) }) == plain.filter { $0 > prefix })
        }
    }

    @Test func `forgets the highest when there are too many holes`() {
        var ledger = SequenceLedger(position: 0)
        for number in 1...5000 { _ = ledger.insert(Int64(number) * 2) }
        #expect(ledger.beyond.count == SequenceLedger.maximumRanges)
        #expect(insert(10_000, &ledger))
    }
}
