import Metering
package import Model
import SQLite

extension Store {
    /// The wanted series, by name. Steps of whole five minutes are answered from the roll-ups, others from the samples;
    /// where samples are no longer kept, from roll-ups in any case. Throws `invalid` for a question that is too large.
    package func metrics(_ query: MetricQuery) throws(StoreError) -> [MetricLine] {
        let step = query.step.wholeMilliseconds
        guard step > 0, query.from < query.to, query.from.milliseconds >= 0 else {
            throw .invalid("a metrics query needs a step and a stretch of time")
        }
        let sets = try series(of: query.node, query.matches)
        let steps = (query.to.milliseconds - query.from.milliseconds) / step + 2
        let names = Set(sets.flatMap { $0.columns.map(\.name) })
        guard steps <= MetricQuery.maximumPoints / max(names.count, 1) else {
            throw .invalid("\(names.count) series in \(steps) steps are too many: ask for fewer or a longer step")
        }
        var grid = MetricGrid(step: step)
        let from = Rollup.start(of: query.from.milliseconds, length: step)
        let to = Rollup.start(of: query.to.milliseconds + step - 1, length: step)
        for set in sets { try fill(&grid, set, from..<to) }
        return grid.lines
    }

    /// The names of a node's series that have been sampled since `time`.
    package func metricNames(node: String, prefix: String = "", since time: Timestamp) throws(StoreError) -> [String] {
        let sets = try series(of: node) { $0.hasPrefix(prefix) }
        var names: Set<String> = []
        for set in sets where try isSampled(set.number, since: time) { names.formUnion(set.columns.map(\.name)) }
        return names.sorted()
    }

    /// The newest samples of a node whose names begin with `prefix`; nil when there are none.
    package func latestSamples(node: String, prefix: String = "") throws(StoreError) -> LatestSamples? {
        var newest: (set: StoredSeries, time: Int64)?
        for set in try series(of: node, { $0.hasPrefix(prefix) }) {
            guard let time = try lastTime(set.number), time > newest?.time ?? .min else { continue }
            newest = (set, time)
        }
        guard let (set, time) = newest, let row = try values(set.number, at: time) else { return nil }
        let pairs = set.columns.filter { row.indices.contains($0.index) && !row[$0.index].isNaN }
            .map { ($0.name, row[$0.index]) }
        return LatestSamples(
            time: Timestamp(milliseconds: time), values: Dictionary(pairs, uniquingKeysWith: { $1 }))
    }

    private func series(of node: String, _ matches: (String) -> Bool) throws(StoreError) -> [StoredSeries] {
        let sql = "SELECT number, names FROM metric_series WHERE node = ? ORDER BY number"
        let sets = try rows(sql, [node]) { (row) throws(SQLiteError) in (try row.integer(), try row.strings()) }
        return sets.compactMap { number, names in
            let columns = names.enumerated().filter { matches($0.element) }.map { (name: $0.element, index: $0.offset) }
            return columns.isEmpty ? nil : StoredSeries(number: number, columns: columns)
        }
    }

    private func isSampled(_ series: Int64, since time: Timestamp) throws(StoreError) -> Bool {
        if let last = try lastTime(series), last >= time.milliseconds { return true }
        let sql = "SELECT 1 FROM metric_chunks WHERE series = ? AND start >= ? LIMIT 1"
        let start = Rollup.start(of: time.milliseconds, length: MetricRetention.chunk)
        return try row(sql, [series, start]) { (row) throws(SQLiteError) in try row.integer() } != nil
    }

    /// The newest sample of a set, in the rows or, when those are packed, in the newest chunk.
    private func lastTime(_ series: Int64) throws(StoreError) -> Int64? {
        let sql = "SELECT max(time) FROM metric_rows WHERE series = ?"
        let time = try row(sql, [series]) { (row) throws(SQLiteError) in try row.optionalInteger() } ?? nil
        if let time { return time }
        return try newestChunk(series)?.times.last
    }

    private func newestChunk(_ series: Int64) throws(StoreError) -> MetricChunk? {
        let sql = "SELECT data FROM metric_chunks WHERE series = ? ORDER BY start DESC LIMIT 1"
        let data = try row(sql, [series]) { (row) throws(SQLiteError) in try row.blob() }
        return try data.map { bytes throws(StoreError) in
            try readable { () throws(DamagedBytes) in try MetricChunk(bytes) }
        }
    }

    private func values(_ series: Int64, at time: Int64) throws(StoreError) -> [Double]? {
        let sql = "SELECT data FROM metric_rows WHERE series = ? AND time = ?"
        if let data = try row(sql, [series, time], { (row) throws(SQLiteError) in try row.blob() }) {
            return try readable { () throws(DamagedBytes) in try PackedRow.decode(data) }
        }
        let chunk = try newestChunk(series)
        return try readable { () throws(DamagedBytes) in try chunk?.rows().last }
    }

    func readable<Value>(_ body: () throws(DamagedBytes) -> Value) throws(StoreError) -> Value {
        do throws(DamagedBytes) { return try body() } catch { throw .corrupt("\(error)") }
    }
}

/// A series set with those of its columns that are wanted.
struct StoredSeries {
    let number: Int64
    let columns: [(name: String, index: Int)]
}

extension Store {
    private func fill(_ grid: inout MetricGrid, _ set: StoredSeries, _ range: Range<Int64>) throws(StoreError) {
        let first = Rollup.start(of: range.lowerBound, length: MetricRetention.chunk)
        let bounds: [any SQLiteBindable] = [set.number, first, range.upperBound]
        var sources = try rows(
            "SELECT start, data FROM metric_rollups WHERE series = ? AND start >= ? AND start < ? ORDER BY start",
            bounds
        ) { (row) throws(SQLiteError) in MetricSource(start: try row.integer(), data: try row.blob(), isRollup: true) }
        if !grid.step.isMultiple(of: MetricRetention.rollup) {
            let chunks = try rows(
                "SELECT start, data FROM metric_chunks WHERE series = ? AND start >= ? AND start < ?", bounds
            ) { (row) throws(SQLiteError) in
                MetricSource(start: try row.integer(), data: try row.blob(), isRollup: false)
            }
            let starts = Set(chunks.map(\.start))
            sources = (sources.filter { !starts.contains($0.start) } + chunks).sorted { $0.start < $1.start }
        }
        for source in sources {
            try readable { () throws(DamagedBytes) in try grid.add(source, set, range) }
        }
        try fillFromRows(&grid, set, range)
    }

    private func fillFromRows(_ grid: inout MetricGrid, _ set: StoredSeries, _ range: Range<Int64>) throws(StoreError) {
        let sql = "SELECT time, data FROM metric_rows WHERE series = ? AND time >= ? AND time < ? ORDER BY time"
        let found = try rows(sql, [set.number, range.lowerBound, range.upperBound]) { (row) throws(SQLiteError) in
            (time: try row.integer(), data: try row.blob())
        }
        for (time, data) in found {
            let values = try readable { () throws(DamagedBytes) in try PackedRow.decode(data) }
            for (name, index) in set.columns where values.indices.contains(index) {
                grid.add(values[index], at: time, to: name)
            }
        }
    }
}
