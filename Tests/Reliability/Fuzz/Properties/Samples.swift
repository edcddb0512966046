@testable import Metering
@testable import Saga
@testable import WireProtocol

/// Stored samples, counters and journals: damage is an error, and what was written comes back bit by bit.
enum Samples {
    static let targets = [
        FuzzTarget("packed-row") { input in
            if let values = try attempt({ () throws(DamagedBytes) in try PackedRow.decode(Array(input)) }) {
                try keeps(values)
            }
            try keeps(doubles(input))
        },
        FuzzTarget("metric-chunk") { input in
            try chunk(Array(input))
            try table(input)
        },
        FuzzTarget("sequences", longest: 256) { input in try ledger(input) },
        FuzzTarget("usage-shares", longest: 64) { input in try shares(input) },
        FuzzTarget("journal-entry") { input in
            guard let json = try? JSONParser.parse(input).asObject else { return }
            guard let entry = try attempt({ () throws(JournalError) in try JournalEntry(json: json) }) else { return }
            try require(try JournalEntry(json: entry.json) == entry, "an entry reads back as another")
            try require(try JournalEntry(json: entry.json).json == entry.json, "an entry is written in two ways")
        },
    ]

    private static func doubles(_ input: UnsafeRawBufferPointer) -> [Double] {
        integers(input).map { Double(bitPattern: UInt64(bitPattern: $0)) }
    }

    private static func integers(_ input: UnsafeRawBufferPointer) -> [Int64] {
        stride(from: 0, to: input.count / 8 * 8, by: 8).map { input.loadUnaligned(fromByteOffset: $0, as: Int64.self) }
    }

    /// A missing sample is any NaN.
    private static func alike(_ left: [Double], _ right: [Double]) -> Bool {
        left.count == right.count
            && zip(left, right).allSatisfy { $0.bitPattern == $1.bitPattern || $0.isNaN && $1.isNaN }
    }

    private static func keeps(_ values: [Double]) throws {
        try require(values.count <= PackedRow.maximumValues, "\(values.count) values")
        let bytes = PackedRow.encode(values)
        try require(alike(try PackedRow.decode(bytes), values), "a row reads back as another")
        try require(PackedRow.encode(try PackedRow.decode(bytes)) == bytes, "a row is written in two ways")
    }

    // MARK: - Chunks

    private static func chunk(_ bytes: [UInt8]) throws {
        guard let chunk = try attempt({ () throws(DamagedBytes) in try MetricChunk(bytes) }) else { return }
        try require(zip(chunk.times, chunk.times.dropFirst()).allSatisfy { $0 < $1 }, "times that do not ascend")
        for index in 0..<min(chunk.columnCount, 8) {
            let column = try attempt { () throws(DamagedBytes) in try chunk.column(index) }
            try require(column == nil || column?.count == chunk.times.count, "a column of another length")
        }
        for series in 0..<min(chunk.columnCount / Aggregate.fields, 4) {
            _ = try attempt { () throws(DamagedBytes) in try Rollup.aggregates(of: chunk, series: series) }
        }
        guard chunk.times.count * chunk.columnCount < 1 << 16 else { return }
        guard let rows = try attempt({ () throws(DamagedBytes) in try chunk.rows() }) else { return }
        let again = try MetricChunk(MetricChunk.encode(times: chunk.times, rows: rows))
        try require(again.times == chunk.times, "other times")
        try require(zip(try again.rows(), rows).allSatisfy { alike($0, $1) }, "other rows")
    }

    /// The first byte is the width of a table, the rest its values.
    private static func table(_ input: UnsafeRawBufferPointer) throws {
        guard let first = input.first else { return }
        let width = Int(first) % 5 + 1
        let values = doubles(UnsafeRawBufferPointer(rebasing: input.dropFirst()))
        let rows = stride(from: 0, to: values.count, by: width).map {
            Array(values[$0..<min($0 + width, values.count)])
        }
        let times = rows.indices.map { Int64($0) * 10_000 }
        let chunk = try MetricChunk(MetricChunk.encode(times: times, rows: rows))
        for (row, back) in zip(rows, try chunk.rows()) {
            try require(alike(Array(back.prefix(row.count)), row), "a row reads back as another")
            try require(back.dropFirst(row.count).allSatisfy(\.isNaN), "a value out of nothing")
        }
        let rollup = try MetricChunk(Rollup.encode(times: times, rows: rows, length: 30_000))
        for series in 0..<(rollup.columnCount / Aggregate.fields) {
            let sums = try Rollup.aggregates(of: rollup, series: series)
            let present = rows.filter { series < $0.count && !$0[series].isNaN }.count
            try require(sums.reduce(0) { $0 + $1.count } == Int64(present), "a roll-up of another count")
        }
    }

    // MARK: - Numbers

    /// The ledger against a plain set. Numbers come from a small range, so that they meet.
    private static func ledger(_ input: UnsafeRawBufferPointer) throws {
        var ledger = SequenceLedger(position: 0)
        var known: Set<Int64> = [0]
        for (place, byte) in input.enumerated() {
            let number = Int64(byte % 64)
            if place % 7 == 6 {
                ledger.skip(number...number + 3)
                known.formUnion(number...number + 3)
            } else {
                try require(ledger.insert(number) == !known.contains(number), "\(number) is taken twice, or not at all")
                known.insert(number)
            }
            let gapless = (0...Int64.max).first { !known.contains($0) } ?? 0
            try require(ledger.position == gapless - 1, "acknowledges \(ledger.position ?? -1) of \(gapless - 1)")
            try require(known.isSuperset(of: ledger.beyond.flatMap(Array.init)), "knows what never came")
        }
        let wild = integers(input)
        for (first, second) in zip(wild, wild.dropFirst()) {
            _ = ledger.insert(first)
            ledger.skip(min(first, second)...max(first, second))
            let lost = ledger.settle(from: first)
            try require(lost.allSatisfy { $0.upperBound < first }, "what can still come is called lost")
        }
    }

    /// Nothing that was used is lost or invented, whatever clocks and counters say.
    private static func shares(_ input: UnsafeRawBufferPointer) throws {
        let numbers = integers(input)
        guard numbers.count >= 5 else { return }
        let previous = CounterReading(epoch: "a", value: numbers[0], time: numbers[1])
        let epoch = numbers[4] & 1 == 0 ? "a" : "b"
        let reading = CounterReading(epoch: epoch, value: numbers[2], time: numbers[3])
        let limit = numbers[4] & 2 == 0 ? UsageMeter.maximumWindows : 2
        let shares = UsageMeter.shares(previous: previous, reading: reading, limit: limit)
        let known = epoch == "a" ? max(previous.value, 0) : 0
        let added = reading.value > known ? reading.value - known : 0
        try require(shares.reduce(0) { $0 + $1.amount } == added, "shares of \(added) sum up to something else")
        try require(shares.allSatisfy { $0.amount > 0 }, "an empty share")
        try require(Set(shares.map(\.window)).count == shares.count, "a window twice")
        try require(shares.count <= limit, "\(shares.count) windows")
    }
}
