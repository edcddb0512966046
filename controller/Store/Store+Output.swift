import SQL
package import WireProtocol

/// The last that a command has said, in order.
struct OutputRecord {
    var operation: String
    /// `{"chunks": […]}`; sealed, for a command may say anything.
    var body: JSONObject
}

extension OutputRecord: Record {
    static let table = "operation_output"
    static let key = ["operation"]
    static let columns = ["operation", "body"]
    static var sealedColumns: [SealedColumn<OutputRecord>] { [SealedColumn("body", \.body)] }

    init(row: inout any SQLRow) throws(SQLError) {
        operation = try row.text()
        body = try row.object()
    }

    var values: [any SQLBindable] { [operation, body] }
}

extension Store {
    /// Operations whose output is kept; the oldest go first.
    package static let outputsKept = 1000

    /// Keeps the last output of an operation's command. The whole is as long as its caller makes it.
    package func keepOutput(_ operation: String, _ chunks: JSONValue) throws(StoreError) {
        try transaction { () throws(StoreError) in
            try upsert(OutputRecord(operation: operation, body: ["chunks": chunks]))
            let sql = """
                DELETE FROM operation_output WHERE operation <= (
                    SELECT operation FROM operation_output ORDER BY operation DESC LIMIT 1 OFFSET ?)
                """
            try run(sql, [Int64(Self.outputsKept)])
        }
    }

    /// What `keepOutput` was given; nil when nothing was kept.
    package func output(of operation: String) throws(StoreError) -> JSONValue? {
        try first(OutputRecord.self, "WHERE operation = ?", [operation])?.body["chunks"]
    }
}
