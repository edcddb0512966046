/// Samples of one series set summed up over equal stretches of time.
package enum Rollup {
    /// The start of the stretch of `length` milliseconds that `time` falls into.
    package static func start(of time: Int64, length: Int64) -> Int64 {
        guard length > 0 else { return time }
        let rest = time % length
        let start = time.subtractingReportingOverflow(rest < 0 ? rest + length : rest)
        return start.overflow ? .min : start.partialValue
    }

    /// A chunk whose times are the starts of the stretches and which has the five columns of an aggregate for every
    /// series. `times` ascend.
    package static func encode(times: [Int64], rows: [[Double]], length: Int64) -> [UInt8] {
        var starts: [Int64] = []
        var sums: [[Aggregate]] = []
        for (time, row) in zip(times, rows) {
            let start = start(of: time, length: length)
            if starts.last != start {
                starts.append(start)
                sums.append([])
            }
            add(row, to: &sums[sums.count - 1])
        }
        return MetricChunk.encode(times: starts, rows: sums.map { $0.flatMap(\.row) })
    }

    /// The aggregates of one series, one for each of the chunk's times.
    package static func aggregates(of chunk: MetricChunk, series: Int) throws(DamagedBytes) -> [Aggregate] {
        guard series >= 0, (series + 1) * Aggregate.fields <= chunk.columnCount else {
            throw DamagedBytes("there is no series \(series)")
        }
        var fields: [[Double]] = []
        for field in 0..<Aggregate.fields { fields.append(try chunk.column(series * Aggregate.fields + field)) }
        var aggregates: [Aggregate] = []
        for index in chunk.times.indices {
            guard let aggregate = Aggregate(row: fields.map { $0[index] }) else {
                throw DamagedBytes("a roll-up has no sensible count")
            }
            aggregates.append(aggregate)
        }
        return aggregates
    }

    private static func add(_ row: [Double], to sums: inout [Aggregate]) {
        while sums.count < row.count { sums.append(Aggregate()) }
        for index in row.indices { sums[index].add(row[index]) }
    }
}
