import Metering
import Model
import SQL
import WireProtocol

extension Store {
    /// False where its set was not learnt because the node has too many.
    func insert(_ row: SampleRow, of node: String) throws(StoreError) -> Bool {
        guard let entry = try series.entry(of: row.set, node) else {
            guard try series.hasRoom(node) else { return false }
            throw .notFound(kind: "series set", id: row.set)
        }
        guard row.values.count == entry.count else {
            throw .invalid("\(node) sent \(row.values.count) values for the \(entry.count) series of \(row.set)")
        }
        loads.note(row, entry, of: node)
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
}
