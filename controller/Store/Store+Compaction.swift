import Metering
package import Model
import SQL

/// How samples are kept, in milliseconds.
package enum MetricRetention {
    /// Samples of one series set over this time become one chunk.
    package static let chunk: Int64 = 3_600_000
    /// The stretch that one aggregate of a roll-up sums up.
    package static let rollup: Int64 = 300_000
}

extension Store {
    /// Packs the rows of hours that ended before `time` into chunks and roll-ups, at most `limit` hours of one set
    /// each, and returns how many. Call it until it returns 0. Rows that come late join the chunk of their hour.
    package func compactMetrics(before time: Timestamp, limit: Int = 50) throws(StoreError) -> Int {
        let end = Rollup.start(of: time.milliseconds, length: MetricRetention.chunk)
        let sql = """
            SELECT number, node FROM metric_series WHERE EXISTS (
                SELECT 1 FROM metric_rows WHERE series = number AND time < ?) ORDER BY number LIMIT ?
            """
        return try transaction { () throws(StoreError) in
            let sets = try rows(sql, [end, limit]) { (row) throws(SQLError) in (try row.integer(), try row.text()) }
            for (series, node) in sets { try compactOldest(series, node) }
            return sets.count
        }
    }

    private func compactOldest(_ series: Int64, _ node: String) throws(StoreError) {
        let sql = "SELECT min(time) FROM metric_rows WHERE series = ?"
        let oldest = try row(sql, [series]) { (row) throws(SQLError) in try row.optionalInteger() } ?? nil
        guard let oldest else { return }
        let start = Rollup.start(of: oldest, length: MetricRetention.chunk)
        let range = start..<start + MetricRetention.chunk
        var samples = try storedChunk(series, node, range)
        samples.merge(try storedRows(series, node, range)) { first, _ in first }
        if !samples.isEmpty { try write(samples, series, start) }
        try run(
            "DELETE FROM metric_rows WHERE series = ? AND time >= ? AND time < ?",
            [series, range.lowerBound, range.upperBound])
    }

    private func write(_ samples: [Int64: [Double]], _ series: Int64, _ start: Int64) throws(StoreError) {
        let ordered = samples.sorted { $0.key < $1.key }.prefix(MetricChunk.maximumSamples)
        let (times, rows) = (ordered.map(\.key), ordered.map(\.value))
        try run(
            """
            INSERT INTO metric_chunks (series, start, samples, data) VALUES (?, ?, ?, ?)
            ON CONFLICT (series, start) DO UPDATE SET samples = excluded.samples, data = excluded.data
            """, [series, start, times.count, MetricChunk.encode(times: times, rows: rows)])
        try run(
            """
            INSERT INTO metric_rollups (series, start, data) VALUES (?, ?, ?)
            ON CONFLICT (series, start) DO UPDATE SET data = excluded.data
            """, [series, start, Rollup.encode(times: times, rows: rows, length: MetricRetention.rollup)])
    }

    private func storedChunk(
        _ series: Int64, _ node: String, _ range: Range<Int64>
    ) throws(StoreError) -> [Int64: [Double]] {
        let sql = "SELECT data FROM metric_chunks WHERE series = ? AND start = ?"
        guard let data = try row(sql, [series, range.lowerBound], { (row) throws(SQLError) in try row.blob() })
        else { return [:] }
        do throws(DamagedBytes) {
            let chunk = try MetricChunk(data)
            return Dictionary(zip(chunk.times, try chunk.rows()), uniquingKeysWith: { first, _ in first })
        } catch {
            try recordDamage(node, range, error)
            return [:]
        }
    }

    private func storedRows(
        _ series: Int64, _ node: String, _ range: Range<Int64>
    ) throws(StoreError) -> [Int64: [Double]] {
        let sql = "SELECT time, data FROM metric_rows WHERE series = ? AND time >= ? AND time < ? ORDER BY time"
        let found = try rows(sql, [series, range.lowerBound, range.upperBound]) { (row) throws(SQLError) in
            (try row.integer(), try row.blob())
        }
        var samples: [Int64: [Double]] = [:]
        for (time, data) in found {
            do throws(DamagedBytes) {
                samples[time] = try PackedRow.decode(data)
            } catch {
                try recordDamage(node, time..<time + 1, error)
            }
        }
        return samples
    }

    /// Damaged samples must not stop the packing of sound ones, and must not vanish in silence.
    private func recordDamage(_ node: String, _ range: Range<Int64>, _ error: DamagedBytes) throws(StoreError) {
        try insert(
            GapRecord(
                id: Identifier.make("gap"), node: node, kind: IntakeStream.metrics.rawValue, fromSeq: 0, toSeq: 0,
                fromTime: Timestamp(milliseconds: range.lowerBound), toTime: Timestamp(milliseconds: range.upperBound),
                reason: "\(error)"))
    }

    /// Removes samples from before `samples` and roll-ups from before `rollups`, at most `limit` stretches of each, and
    /// series without anything left. Returns how many rows went; call it until that is 0.
    package func pruneMetrics(
        samples: Timestamp, rollups: Timestamp, limit: Int = 2000
    ) throws(StoreError) -> Int {
        try transaction { () throws(StoreError) in
            let chunks = try prune("metric_chunks", samples, limit)
            return try chunks + prune("metric_rollups", rollups, limit) + series.prune()
        }
    }

    private func prune(_ table: String, _ time: Timestamp, _ limit: Int) throws(StoreError) -> Int {
        let sql = """
            DELETE FROM \(table) WHERE (series, start) IN (SELECT series, start FROM \(table) WHERE start < ? LIMIT ?)
            """
        return try run(sql, [time.milliseconds - MetricRetention.chunk + 1, limit])
    }
}
