import Metering
import Model
import SQL
import WireProtocol

/// A series set by its node and the node's name for it.
struct SeriesKey: Hashable {
    let node: String
    let set: String
}

/// What a row of a set needs: the set's number and how many values it has.
struct SeriesEntry: Hashable {
    let number: Int64
    let count: Int
    /// Where the share of idle processors stands, in sets that have it.
    let idle: Int?

    init(number: Int64, names: [String]) {
        self.number = number
        count = names.count
        idle = names.firstIndex(of: MeasuredLoad.series)
    }
}

extension Store {
    /// Entries kept in memory; past it they are read again.
    private static let seriesLimit = 50_000

    /// Learns the names of a set, as long as there is room for one more of the node. The same set must not come back with other
    /// names: stored rows rest on them.
    func register(_ set: SeriesSet, of node: String) throws(StoreError) {
        guard !set.set.isEmpty, set.set.utf8.count <= 64, !set.names.isEmpty,
            set.names.count <= PackedRow.maximumValues, set.names.allSatisfy({ $0.utf8.count <= 512 })
        else { throw .invalid("the series set \(set.set.prefix(64)) of \(node) is empty or too large") }
        let names = set.names.columnText
        let sql = "SELECT number, names FROM metric_series WHERE node = ? AND name_set = ?"
        let stored = try row(sql, [node, set.set]) { (row) throws(SQLError) in
            (number: try row.integer(), names: try row.text())
        }
        guard stored == nil || stored?.names == names else {
            throw .invalid("\(node) gave the series set \(set.set) two meanings")
        }
        var number = stored?.number ?? 0
        if stored == nil {
            guard try hasSeriesRoom(node) else { return }
            number = try insertSeries(node, set.set, names)
            try countSeries(names, of: node)
        }
        remember(SeriesKey(node: node, set: set.set), SeriesEntry(number: number, names: set.names))
    }

    private func insertSeries(_ node: String, _ set: String, _ names: String) throws(StoreError) -> Int64 {
        let sql = """
            INSERT INTO metric_series (number, node, name_set, names)
            SELECT coalesce(max(number), 0) + 1, ?, ?, ? FROM metric_series RETURNING number
            """
        return try row(sql, [node, set, names]) { (row) throws(SQLError) in try row.integer() } ?? 0
    }

    /// False where its set was not learnt because the node has too many.
    func insert(_ row: SampleRow, of node: String) throws(StoreError) -> Bool {
        guard let entry = try series(SeriesKey(node: node, set: row.set)) else {
            guard try hasSeriesRoom(node) else { return false }
            throw .notFound(kind: "series set", id: row.set)
        }
        guard row.values.count == entry.count else {
            throw .invalid("\(node) sent \(row.values.count) values for the \(entry.count) series of \(row.set)")
        }
        noteLoad(row, entry, of: node)
        guard try !insert(PackedRow.encode(row.values.map { $0 ?? .nan }), entry.number, row.time) else { return true }
        try insert(
            GapRecord(
                id: Identifier.make("gap"), node: node, kind: IntakeStream.metrics.rawValue, fromSeq: row.seq,
                toSeq: row.seq, fromTime: row.time, toTime: row.time, reason: "too many samples have the same time"))
        return true
    }

    /// Steps that a sample may be moved by, in milliseconds.
    private static let placeLimit: Int64 = 1000

    /// A clock that was set back gives a time twice. The second sample takes a millisecond behind it that is free; the same
    /// sample again changes nothing. False when there is no room. Never more than four statements: a report of samples that
    /// are all of one time must not hold the store up.
    private func insert(_ data: [UInt8], _ series: Int64, _ time: Timestamp) throws(StoreError) -> Bool {
        let sql = "INSERT INTO metric_rows (series, time, data) VALUES (?, ?, ?) ON CONFLICT (series, time) DO NOTHING"
        if try run(sql, [series, time.milliseconds, data]) > 0 { return true }
        let range: [any SQLBindable] = [series, time.milliseconds, time.milliseconds + Self.placeLimit]
        let same = "SELECT count(*) FROM metric_rows WHERE series = ? AND time >= ? AND time < ? AND data = ?"
        if try row(same, range + [data], { (row) throws(SQLError) in try row.bool() }) == true { return true }
        let newest = "SELECT max(time) FROM metric_rows WHERE series = ? AND time >= ? AND time < ?"
        let last = try row(newest, range) { (row) throws(SQLError) in try row.integer() } ?? time.milliseconds
        guard last + 1 < time.milliseconds + Self.placeLimit else { return false }
        return try run(sql, [series, last + 1, data]) > 0
    }

    private func series(_ key: SeriesKey) throws(StoreError) -> SeriesEntry? {
        if let entry = seriesNumbers[key] { return entry }
        let sql = "SELECT number, names FROM metric_series WHERE node = ? AND name_set = ?"
        let entry = try row(sql, [key.node, key.set]) { (row) throws(SQLError) in
            SeriesEntry(number: try row.integer(), names: try row.strings())
        }
        if let entry { remember(key, entry) }
        return entry
    }

    private func remember(_ key: SeriesKey, _ entry: SeriesEntry) {
        if seriesNumbers.count >= Self.seriesLimit { seriesNumbers = [:] }
        seriesNumbers[key] = entry
    }
}
