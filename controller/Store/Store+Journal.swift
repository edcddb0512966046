package import Model
import SQL
package import WireProtocol

extension Store {
    /// Appends entries behind entry `after`, the last one that the caller knows (0 for none). Throws `conflict` when
    /// the journal has grown since: two executors must not both go on with one operation.
    ///
    /// `change` is made in the same transaction, for the state of the operation and its service.
    /// Returns the sequence number of the last entry.
    @discardableResult
    package func appendJournal(
        _ operation: String, after: Int64, _ entries: [JSONValue], at time: Timestamp,
        change: @Sendable (isolated Store) throws(StoreError) -> Void = { _ in }
    ) throws(StoreError) -> Int64 {
        try transaction { () throws(StoreError) in
            let sql = "SELECT coalesce(max(seq), 0) FROM journal WHERE operation = ?"
            let last = try row(sql, [operation]) { (row) throws(SQLError) in try row.integer() } ?? 0
            guard last == after else { throw .conflict(kind: "journal entry", field: "seq") }
            for (offset, entry) in entries.enumerated() {
                let seq = after + Int64(offset) + 1
                try insert(JournalRecord(operation: operation, seq: seq, time: time, entry: entry))
            }
            try change(self)
            if let record = try self.operation(operation) {
                note(.operation, operation, service: record.service, node: record.node)
            }
            return after + Int64(entries.count)
        }
    }

    package func journal(_ operation: String, after seq: Int64 = 0) throws(StoreError) -> [JournalRecord] {
        try select(JournalRecord.self, "WHERE operation = ? AND seq > ? ORDER BY seq", [operation, seq])
    }
}

/// A line for an operation's log, before it has its number.
package struct OperationLogLine: Sendable, Hashable {
    package var time: Timestamp
    /// `info`, `warning`, `error`, or `output` for what a command printed.
    package var level: String
    package var step: String?
    package var text: String

    package init(time: Timestamp, level: String, step: String? = nil, text: String) {
        self.time = time
        self.level = level
        self.step = step
        self.text = text
    }
}

extension Store {
    /// The most lines that one operation keeps: the last place says that there was more.
    package static let operationLogLimit: Int64 = 10_000

    package func appendLog(_ operation: String, _ lines: [OperationLogLine]) throws(StoreError) {
        try transaction { () throws(StoreError) in
            let sql = "SELECT coalesce(max(seq), 0) FROM operation_log WHERE operation = ?"
            var seq = try row(sql, [operation]) { (row) throws(SQLError) in try row.integer() } ?? 0
            for line in lines where seq < Self.operationLogLimit {
                seq += 1
                let isLast = seq == Self.operationLogLimit
                try insert(
                    OperationLogRecord(
                        operation: operation, seq: seq, time: line.time, level: isLast ? "warning" : line.level,
                        step: line.step,
                        text: isLast ? "the log is full, further lines are not kept" : line.text.capped(to: 4096)))
            }
            let service = try self.operation(operation)?.service
            note(.operationLog, operation, service: service)
        }
    }

    /// Lines behind `seq`, at most `limit`.
    package func log(
        _ operation: String, after seq: Int64 = 0, limit: Int = 1000
    ) throws(StoreError) -> [OperationLogRecord] {
        let rest = "WHERE operation = ? AND seq > ? ORDER BY seq LIMIT ?"
        return try select(OperationLogRecord.self, rest, [operation, seq, limit])
    }
}
