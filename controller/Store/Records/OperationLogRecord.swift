package import Model
import SQL

/// One line of what an operation tells people.
package struct OperationLogRecord: Sendable, Hashable {
    package var operation: String
    /// From 1, without gaps.
    package var seq: Int64
    package var time: Timestamp
    package var level: String
    package var step: String?
    package var text: String

    package init(
        operation: String, seq: Int64, time: Timestamp, level: String, step: String?, text: String
    ) {
        self.operation = operation
        self.seq = seq
        self.time = time
        self.level = level
        self.step = step
        self.text = text
    }
}

extension OperationLogRecord: Record {
    static let table = "operation_log"
    static let key = ["operation", "seq"]
    static let columns = [
        "operation", "seq", "time", "level", "step", "text",
    ]

    init(row: inout any SQLRow) throws(SQLError) {
        operation = try row.text()
        seq = try row.integer()
        time = try row.timestamp()
        level = try row.text()
        step = try row.optionalText()
        text = try row.text()
    }

    var values: [any SQLBindable] {
        [
            operation, seq, time, level, step, text,
        ]
    }
}
