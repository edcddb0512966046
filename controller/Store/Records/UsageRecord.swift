package import Model
import SQL

/// The newest value of a usage counter within one epoch of its source.
package struct UsageRecord: Sendable, Hashable {
    package var node: String
    package var subject: String
    package var meter: String
    package var epoch: String
    package var value: Int64
    package var time: Timestamp

    package init(
        node: String, subject: String, meter: String, epoch: String, value: Int64, time: Timestamp
    ) {
        self.node = node
        self.subject = subject
        self.meter = meter
        self.epoch = epoch
        self.value = value
        self.time = time
    }
}

extension UsageRecord: Record {
    static let table = "usage_counters"
    static let key = ["node", "subject", "meter", "epoch"]
    static let columns = [
        "node", "subject", "meter", "epoch", "value", "time",
    ]

    init(row: inout any SQLRow) throws(SQLError) {
        node = try row.text()
        subject = try row.text()
        meter = try row.text()
        epoch = try row.text()
        value = try row.integer()
        time = try row.timestamp()
    }

    var values: [any SQLBindable] {
        [
            node, subject, meter, epoch, value, time,
        ]
    }
}
