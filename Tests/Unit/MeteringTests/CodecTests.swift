import TestSupport
import Testing

@testable import Metering

@Suite struct `Packed samples` {
    @Test(arguments: 0..<200)
    func `come back bit by bit, as a row and as a chunk`(seed: Int) throws {
        var random = SeededGenerator(seed: UInt64(seed))
        let width = Int.random(in: 0...40, using: &random)
        let rows = (0..<Int.random(in: 0...50, using: &random)).map { _ in (0..<width).map { _ in random.value() } }
        for row in rows { #expect(isSame(try PackedRow.decode(PackedRow.encode(row)), row)) }

        var time = Int64.random(in: 0...1 << 40, using: &random)
        let times = rows.map { _ in
            time += Int64.random(in: 1...20_000, using: &random)
            return time
        }
        let chunk = try MetricChunk(MetricChunk.encode(times: times, rows: rows))
        #expect(chunk.times == times)
        let back = try chunk.rows()
        #expect(back.count == rows.count)
        #expect(zip(back, rows).allSatisfy { isSame($0, $1) })
    }

    @Test(arguments: 0..<300)
    func `that are damaged are refused or misread, never a trap`(seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let rows = (0..<20).map { _ in (0..<10).map { _ in random.value() } }
        let chunk = MetricChunk.encode(times: (0..<20).map { Int64($0) * 10_000 }, rows: rows)
        let rollup = Rollup.encode(times: (0..<20).map { Int64($0) * 10_000 }, rows: rows, length: 60_000)
        for whole in [PackedRow.encode(rows[0]), chunk, rollup] {
            var bytes = whole
            for _ in 0...Int.random(in: 0...3, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random)) }
            read(bytes)
        }
        read((0..<Int.random(in: 0...200, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) })
    }

    private func read(_ bytes: [UInt8]) {
        _ = try? PackedRow.decode(bytes)
        guard let chunk = try? MetricChunk(bytes) else { return }
        _ = try? chunk.rows()
        for series in -1...2 { _ = try? Rollup.aggregates(of: chunk, series: series) }
    }

    @Test func `that claim to be huge take no memory`() {
        var row: [UInt8] = []
        row.append(varint: 1 << 60)
        #expect(throws: DamagedBytes.self) { try PackedRow.decode(row) }
        #expect(throws: DamagedBytes.self) { try PackedRow.decode([UInt8](repeating: 0xff, count: 20)) }
        #expect(throws: DamagedBytes.self) { try PackedRow.decode([1, 3]) }
        #expect(throws: DamagedBytes.self) { try MetricChunk([1] + row) }
        #expect(throws: DamagedBytes.self) { try MetricChunk([2, 0, 0]) }
        #expect(throws: DamagedBytes.self) { try PackedRow.decode(PackedRow.encode([1]) + [0]) }
    }

    @Test func `are small where they stand still or count evenly`() throws {
        let times = (0..<360).map { Int64($0) * 10_000 }
        let rows = (0..<360).map { [7.0, 0, Double($0) * 4096, 1.5, Double.nan] }
        let bytes = MetricChunk.encode(times: times, rows: rows)
        #expect(bytes.count < 60)
        #expect(PackedRow.encode([Double](repeating: .nan, count: 1000)).count <= 4)
    }
}
