import Metering
package import Model
import SQLite

/// What a subject used of a meter within one window. The id follows from subject, meter and window.
package struct UsageWindow: Sendable, Hashable {
    package var id: String
    package var subject: String
    package var meter: String
    package var start: Timestamp
    package var amount: Int64
}

extension Store {
    /// The length of a usage window.
    package static let usageWindow: Duration = .seconds(3600)
    private static let usageWindowMilliseconds: Int64 = 3_600_000

    /// Brings counters forward and adds what they grew to the windows, in the same transaction: what was counted once is
    /// never counted again.
    func count(_ report: UsageReport, of node: String) throws(StoreError) {
        for counter in report.counters {
            guard counter.value >= 0 else { throw .invalid("the counter \(counter.meter) of \(node) is negative") }
            let known = try self.counter(node, counter)
            let reading = CounterReading(
                epoch: counter.epoch, value: counter.value, time: report.time.milliseconds)
            let shares = UsageMeter.shares(previous: known, reading: reading, length: Self.usageWindowMilliseconds)
            for share in shares { try add(share, counter) }
            guard known.map({ reading.value > $0.value }) ?? true else { continue }
            try upsert(
                UsageRecord(
                    node: node, subject: counter.subject, meter: counter.meter, epoch: counter.epoch,
                    value: counter.value, time: report.time))
        }
    }

    private func counter(_ node: String, _ counter: UsageReport.Counter) throws(StoreError) -> CounterReading? {
        let rest = "WHERE node = ? AND subject = ? AND meter = ? AND epoch = ?"
        return try first(UsageRecord.self, rest, [node, counter.subject, counter.meter, counter.epoch]).map {
            CounterReading(epoch: $0.epoch, value: $0.value, time: $0.time.milliseconds)
        }
    }

    private func add(_ share: UsageShare, _ counter: UsageReport.Counter) throws(StoreError) {
        let id = UsageMeter.windowID(subject: counter.subject, meter: counter.meter, window: share.window)
        let sql = "SELECT amount FROM usage_windows WHERE id = ?"
        let known = try row(sql, [id]) { (row) throws(SQLiteError) in try row.integer() } ?? 0
        // SQL would turn a sum past the largest integer into a fraction.
        let (sum, isOver) = known.addingReportingOverflow(share.amount)
        let upsert = """
            INSERT INTO usage_windows (id, subject, meter, start, amount) VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET amount = excluded.amount
            """
        try run(upsert, [id, counter.subject, counter.meter, share.window, isOver ? Int64.max : sum])
    }

    /// The newest value of every counter of a subject, by meter and epoch.
    package func usageCounters(subject: String) throws(StoreError) -> [UsageRecord] {
        try select(UsageRecord.self, "WHERE subject = ? ORDER BY meter, time, epoch", [subject])
    }

    /// Windows that start in `from..<to`, oldest first.
    package func usageWindows(
        subject: String, from: Timestamp, to: Timestamp
    ) throws(StoreError) -> [UsageWindow] {
        let sql = """
            SELECT id, subject, meter, start, amount FROM usage_windows
            WHERE subject = ? AND start >= ? AND start < ? ORDER BY start, meter
            """
        return try rows(sql, [subject, from, to]) { (row) throws(SQLiteError) in
            UsageWindow(
                id: try row.text(), subject: try row.text(), meter: try row.text(), start: try row.timestamp(),
                amount: try row.integer())
        }
    }
}
