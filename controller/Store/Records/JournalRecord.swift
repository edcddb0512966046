package import Model
import SQL
package import WireProtocol

/// One entry of an operation's journal. Entries are only ever appended.
package struct JournalRecord: Sendable, Hashable {
    package var operation: String
    /// From 1, without gaps.
    package var seq: Int64
    package var time: Timestamp
    package var entry: JSONValue

    package init(
        operation: String, seq: Int64, time: Timestamp, entry: JSONValue
    ) {
        self.operation = operation
        self.seq = seq
        self.time = time
        self.entry = entry
    }
}

extension JournalRecord: Record {
    static let table = "journal"
    static let key = ["operation", "seq"]
    /// What steps have made, passwords among it.
    static var sealedColumns: [SealedColumn<JournalRecord>] { [SealedColumn("entry", \.entry)] }
    static let columns = [
        "operation", "seq", "time", "entry",
    ]

    init(row: inout any SQLRow) throws(SQLError) {
        operation = try row.text()
        seq = try row.integer()
        time = try row.timestamp()
        entry = try row.json()
    }

    var values: [any SQLBindable] {
        [
            operation, seq, time, entry,
        ]
    }
}
