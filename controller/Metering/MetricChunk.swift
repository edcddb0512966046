/// The samples of one series set over a stretch of time, column by column, so that one series is read without the others.
///
/// Layout: version, sample count, column count, times (differences of differences), the byte length of every
/// column, the columns. NaN stands for a missing sample; every other value comes back bit by bit.
package struct MetricChunk: Sendable {
    package static let maximumSamples = 65536
    private static let version: UInt8 = 1

    /// Milliseconds, ascending.
    package let times: [Int64]
    package let columnCount: Int
    private let columns: [ArraySlice<UInt8>]

    /// Reads the frame. The columns are read when they are asked for.
    package init(_ bytes: [UInt8]) throws(DamagedBytes) {
        var reader = ByteReader(bytes[...])
        let version = try reader.byte()
        guard version == Self.version else { throw DamagedBytes("version \(version) is unknown") }
        let samples = try reader.count(upTo: Self.maximumSamples)
        columnCount = try reader.count(upTo: PackedRow.maximumValues * Aggregate.fields)
        times = try Self.readTimes(&reader, samples)
        columns = try Self.readFrames(&reader, columnCount)
        guard reader.isAtEnd else { throw DamagedBytes("something follows the last column") }
    }

    /// One value for each of `times`.
    package func column(_ index: Int) throws(DamagedBytes) -> [Double] {
        guard columns.indices.contains(index) else { throw DamagedBytes("there is no column \(index)") }
        return try PackedColumn.decode(columns[index], count: times.count)
    }

    /// The columns turned into one row for each time.
    package func rows() throws(DamagedBytes) -> [[Double]] {
        var rows = [[Double]](repeating: [], count: times.count)
        for row in rows.indices { rows[row].reserveCapacity(columnCount) }
        for index in columns.indices {
            let values = try column(index)
            for row in rows.indices { rows[row].append(values[row]) }
        }
        return rows
    }

    /// `rows` has one list for each time; a list that is shorter than the longest counts as missing at its end.
    package static func encode(times: [Int64], rows: [[Double]]) -> [UInt8] {
        let width = rows.map(\.count).max() ?? 0
        let columns = (0..<width).map { index in
            PackedColumn.encode(rows.map { index < $0.count ? $0[index] : .nan })
        }
        var bytes: [UInt8] = [version]
        bytes.append(varint: UInt64(times.count))
        bytes.append(varint: UInt64(width))
        bytes += NumberList.encode(times, isSecondOrder: true)
        for column in columns { bytes.append(varint: UInt64(column.count)) }
        for column in columns { bytes.append(contentsOf: column) }
        return bytes
    }

    private static func readTimes(_ reader: inout ByteReader, _ count: Int) throws(DamagedBytes) -> [Int64] {
        let times = try NumberList.read(&reader, count: count, isSecondOrder: true)
        guard zip(times, times.dropFirst()).allSatisfy({ $0 < $1 }) else {
            throw DamagedBytes("the times are not ascending")
        }
        return times
    }

    private static func readFrames(
        _ reader: inout ByteReader, _ count: Int
    ) throws(DamagedBytes) -> [ArraySlice<UInt8>] {
        var lengths: [Int] = []
        for _ in 0..<count { lengths.append(try reader.count(upTo: maximumSamples * 16)) }
        var frames: [ArraySlice<UInt8>] = []
        for length in lengths { frames.append(try reader.slice(length)) }
        return frames
    }
}
