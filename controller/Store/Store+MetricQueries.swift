import Metering
package import Model
import SQL

extension Store {
    /// The wanted series, by name. Steps of whole five minutes are answered from the roll-ups, others from the samples;
    /// where samples are no longer kept, from roll-ups in any case. Throws `invalid` for a question that is too large.
    package func metrics(_ query: MetricQuery) throws(StoreError) -> [MetricLine] {
        let step = query.step.wholeMilliseconds
        guard step > 0, query.from < query.to, query.from.milliseconds >= 0 else {
            throw .invalid("a metrics query needs a step and a stretch of time")
        }
        guard query.to <= MetricQuery.latest, step <= MetricQuery.latest.milliseconds else {
            throw .invalid("a metrics query ends at the latest with the year 9999")
        }
        // Before anything is looked for: a question may be as large as its numbers can be.
        let steps = (query.to.milliseconds - query.from.milliseconds) / step + 2
        let last = query.to.milliseconds + step - 1
        guard steps <= MetricQuery.maximumPoints else {
            throw .invalid("\(steps) steps are too many: ask for a longer step")
        }
        let from = Rollup.start(of: query.from.milliseconds, length: step)
        let to = Rollup.start(of: last, length: step)
        // The first step of a counter needs the reading before it.
        let range = max(0, from - step)..<to
        let sets = try series(of: query.node, in: range, query.matches)
        let names = Set(sets.flatMap { $0.columns.map(\.name) })
        guard steps <= MetricQuery.maximumPoints / max(names.count, 1) else {
            throw .invalid("\(names.count) series in \(steps) steps are too many: ask for fewer or a longer step")
        }
        var grid = MetricGrid(step: step, from: from)
        for set in sets { try fill(&grid, set, range) }
        return grid.lines
    }

    /// The names of a node's series that have been sampled since `time`.
    package func metricNames(node: String, prefix: String = "", since time: Timestamp) throws(StoreError) -> [String] {
        let sets = try series(of: node, in: time.milliseconds..<Int64.max) { $0.hasPrefix(prefix) }
        return sets.reduce(into: Set<String>()) { $0.formUnion($1.columns.map(\.name)) }.sorted()
    }

    /// The newest samples of a node whose names begin with `prefix`; nil when there are none.
    /// - Parameter end: what is dated later is passed over: a store of an older version may hold samples of the future.
    package func latestSamples(
        node: String, prefix: String = "", until end: Timestamp? = nil
    ) throws(StoreError) -> LatestSamples? {
        var times: [(number: Int64, time: Int64)] = []
        for number in try setNumbers(of: node) {
            if let time = try lastTime(number, until: end) { times.append((number, time)) }
        }
        var newest: (set: StoredSeries, time: Int64)?
        // Names are long: those of older sets are read only where the newest has none of the wanted.
        for (number, time) in times.sorted(by: { $0.time > $1.time }) where newest == nil {
            newest = try series(number) { $0.hasPrefix(prefix) }.map { ($0, time) }
        }
        guard let (set, time) = newest, let row = try values(set.number, at: time) else { return nil }
        var latest = LatestSamples(time: Timestamp(milliseconds: time), values: set.values(of: row))
        if let before = try sample(before: time, of: set.number) {
            latest.before = set.values(of: before.row)
            latest.beforeTime = Timestamp(milliseconds: before.time)
        }
        return latest
    }

    /// The sample before `time`, when it is no older than what a rate of now may rest on.
    private func sample(before time: Int64, of series: Int64) throws(StoreError) -> (time: Int64, row: [Double])? {
        let sql = """
            SELECT time, data FROM metric_rows WHERE series = ? AND time < ? AND time >= ? ORDER BY time DESC LIMIT 1
            """
        let found = try row(sql, [series, time, time - 2 * MetricRetention.rollup]) { (row) throws(SQLError) in
            (try row.integer(), try row.blob())
        }
        guard let (time, data) = found else { return nil }
        return (time, try readable { () throws(DamagedBytes) in try PackedRow.decode(data) })
    }

    /// The sets of a node that were sampled in this time and hold what is wanted. Only their names are read: a node has a
    /// set for each change of what runs on it.
    private func series(
        of node: String, in times: Range<Int64>, _ matches: (String) -> Bool
    ) throws(StoreError) -> [StoredSeries] {
        var sets: [StoredSeries] = []
        for number in try setNumbers(of: node) where try isSampled(number, in: times) {
            if let set = try series(number, matches) { sets.append(set) }
        }
        return sets
    }

    private func setNumbers(of node: String) throws(StoreError) -> [Int64] {
        let sql = "SELECT number FROM metric_series WHERE node = ? ORDER BY number"
        return try rows(sql, [node]) { (row) throws(SQLError) in try row.integer() }
    }

    /// Nil when none of its names is wanted.
    private func series(_ number: Int64, _ matches: (String) -> Bool) throws(StoreError) -> StoredSeries? {
        let sql = "SELECT names FROM metric_series WHERE number = ?"
        let names = try row(sql, [number]) { (row) throws(SQLError) in try row.strings() } ?? []
        let columns = names.enumerated().filter { matches($0.element) }.map { (name: $0.element, index: $0.offset) }
        return columns.isEmpty ? nil : StoredSeries(number: number, columns: columns)
    }

    private func isSampled(_ series: Int64, in times: Range<Int64>) throws(StoreError) -> Bool {
        let (from, to) = (times.lowerBound, times.upperBound)
        let sql = """
            SELECT EXISTS (SELECT 1 FROM metric_rows WHERE series = ? AND time >= ? AND time < ?)
                OR EXISTS (SELECT 1 FROM metric_chunks WHERE series = ? AND start >= ? AND start < ?)
                OR EXISTS (SELECT 1 FROM metric_rollups WHERE series = ? AND start >= ? AND start < ?)
            """
        let first = Rollup.start(of: from, length: MetricRetention.chunk)
        let values: [any SQLBindable] = [series, from, to, series, first, to, series, first, to]
        return try row(sql, values) { (row) throws(SQLError) in try row.bool() } ?? false
    }

    /// The newest sample of a set, in the rows or, when those are packed, in the newest chunk.
    private func lastTime(_ series: Int64, until end: Timestamp? = nil) throws(StoreError) -> Int64? {
        let sql = "SELECT max(time) FROM metric_rows WHERE series = ? AND time <= ?"
        let time =
            try row(sql, [series, end?.milliseconds ?? .max]) { (row) throws(SQLError) in try row.optionalInteger() }
            ?? nil
        if let time { return time }
        return try newestChunk(series)?.times.last
    }

    private func newestChunk(_ series: Int64) throws(StoreError) -> MetricChunk? {
        let sql = "SELECT data FROM metric_chunks WHERE series = ? ORDER BY start DESC LIMIT 1"
        let data = try row(sql, [series]) { (row) throws(SQLError) in try row.blob() }
        return try data.map { bytes throws(StoreError) in
            try readable { () throws(DamagedBytes) in try MetricChunk(bytes) }
        }
    }

    private func values(_ series: Int64, at time: Int64) throws(StoreError) -> [Double]? {
        let sql = "SELECT data FROM metric_rows WHERE series = ? AND time = ?"
        if let data = try row(sql, [series, time], { (row) throws(SQLError) in try row.blob() }) {
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

    /// By name, of one sample of the set; without those that are missing.
    func values(of row: [Double]) -> [String: Double] {
        let pairs = columns.filter { row.indices.contains($0.index) && !row[$0.index].isNaN }
            .map { ($0.name, row[$0.index]) }
        return Dictionary(pairs, uniquingKeysWith: { $1 })
    }
}

extension Store {
    private func fill(_ grid: inout MetricGrid, _ set: StoredSeries, _ range: Range<Int64>) throws(StoreError) {
        let first = Rollup.start(of: range.lowerBound, length: MetricRetention.chunk)
        let bounds: [any SQLBindable] = [set.number, first, range.upperBound]
        var sources = try rows(
            "SELECT start, data FROM metric_rollups WHERE series = ? AND start >= ? AND start < ? ORDER BY start",
            bounds
        ) { (row) throws(SQLError) in MetricSource(start: try row.integer(), data: try row.blob(), isRollup: true) }
        if !grid.step.isMultiple(of: MetricRetention.rollup) {
            let chunks = try rows(
                "SELECT start, data FROM metric_chunks WHERE series = ? AND start >= ? AND start < ?", bounds
            ) { (row) throws(SQLError) in
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
        let found = try rows(sql, [set.number, range.lowerBound, range.upperBound]) { (row) throws(SQLError) in
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
