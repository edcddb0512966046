package import Model
import SQLite

/// The newest value of a usage counter within one epoch of its source.
package struct UsageRecord: Sendable, Hashable {
    package var node: String
    package var subject: String
    package var meter: String
    package var epoch: String
    /// The value when the epoch was first seen.
    package var firstValue: Int64
    package var firstTime: Timestamp
    package var value: Int64
    package var time: Timestamp

    package init(
        node: String, subject: String, meter: String, epoch: String, firstValue: Int64, firstTime: Timestamp,
        value: Int64, time: Timestamp
    ) {
        self.node = node
        self.subject = subject
        self.meter = meter
        self.epoch = epoch
        self.firstValue = firstValue
        self.firstTime = firstTime
        self.value = value
        self.time = time
    }
}

extension UsageRecord: Record {
    static let table = "usage_counters"
    static let key = ["node", "subject", "meter", "epoch"]
    static let columns = [
        "node", "subject", "meter", "epoch", "first_value", "first_time", "value", "time",
    ]

    init(row: inout SQLiteRow) throws(SQLiteError) {
        node = try row.text()
        subject = try row.text()
        meter = try row.text()
        epoch = try row.text()
        firstValue = try row.integer()
        firstTime = try row.timestamp()
        value = try row.integer()
        time = try row.timestamp()
    }

    var values: [any SQLiteBindable] {
        [
            node, subject, meter, epoch, firstValue, firstTime, value, time,
        ]
    }
}
