import TestSupport
import Testing

@testable import Metering

@Suite struct `Roll-ups` {
    @Test func `know count, extremes, mean and last, and pass over missing samples`() {
        var aggregate = Aggregate()
        #expect(aggregate.average == nil)
        for value in [Double.nan, 2, -4, .nan, 8] { aggregate.add(value) }
        #expect(aggregate.count == 3)
        #expect(aggregate.minimum == -4)
        #expect(aggregate.maximum == 8)
        #expect(aggregate.average == 2)
        #expect(aggregate.last == 8)
        let before = aggregate
        aggregate.add(Aggregate())
        #expect(aggregate == before)
    }

    @Test(arguments: 0..<50)
    func `of parts are the roll-up of the whole`(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let values = (0..<100).map { _ in
            Int.random(in: 0...4, using: &random) == 0 ? Double.nan : Double(Int.random(in: -99...99, using: &random))
        }
        var whole = Aggregate()
        for value in values { whole.add(value) }
        var parts = Aggregate()
        var index = 0
        while index < values.count {
            var part = Aggregate()
            let end = min(index + Int.random(in: 1...9, using: &random), values.count)
            for value in values[index..<end] { part.add(value) }
            parts.add(part)
            index = end
        }
        #expect(parts == whole)
    }

    @Test func `are kept by stretch and series`() throws {
        let times: [Int64] = [0, 299_999, 300_000, 900_000]
        let rows: [[Double]] = [[1, .nan], [3, 5], [7], [9, .nan]]
        let chunk = try MetricChunk(Rollup.encode(times: times, rows: rows, length: 300_000))
        #expect(chunk.times == [0, 300_000, 900_000])
        let first = try Rollup.aggregates(of: chunk, series: 0)
        #expect(first.map(\.average) == [2, 7, 9])
        #expect(first[0].last == 3)
        let second = try Rollup.aggregates(of: chunk, series: 1)
        #expect(second.map(\.count) == [1, 0, 0])
        #expect(throws: DamagedBytes.self) { try Rollup.aggregates(of: chunk, series: 2) }
    }

    @Test func `start where time does, also before 1970`() {
        #expect(Rollup.start(of: 3_600_001, length: 3_600_000) == 3_600_000)
        #expect(Rollup.start(of: -1, length: 10) == -10)
        #expect(Rollup.start(of: .min, length: 10) == .min)
        #expect(Rollup.start(of: 5, length: 0) == 5)
    }
}
