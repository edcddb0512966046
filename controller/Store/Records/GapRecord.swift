package import Model
import SQL

/// A stretch of samples or events that a node had to drop.
package struct GapRecord: Sendable, Hashable {
    package var id: String
    package var node: String
    /// `metrics` or `events`.
    package var kind: String
    package var fromSeq: Int64
    package var toSeq: Int64
    package var fromTime: Timestamp
    package var toTime: Timestamp
    package var reason: String

    package init(
        id: String, node: String, kind: String, fromSeq: Int64, toSeq: Int64, fromTime: Timestamp,
        toTime: Timestamp, reason: String
    ) {
        self.id = id
        self.node = node
        self.kind = kind
        self.fromSeq = fromSeq
        self.toSeq = toSeq
        self.fromTime = fromTime
        self.toTime = toTime
        self.reason = reason
    }
}

extension GapRecord: Record {
    static let table = "gaps"
    static let key = ["id"]
    static let columns = [
        "id", "node", "kind", "from_seq", "to_seq", "from_time", "to_time", "reason",
    ]

    init(row: inout any SQLRow) throws(SQLError) {
        id = try row.text()
        node = try row.text()
        kind = try row.text()
        fromSeq = try row.integer()
        toSeq = try row.integer()
        fromTime = try row.timestamp()
        toTime = try row.timestamp()
        reason = try row.text()
    }

    var values: [any SQLBindable] {
        [
            id, node, kind, fromSeq, toSeq, fromTime, toTime, reason,
        ]
    }
}
