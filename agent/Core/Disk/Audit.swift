package import DaemonKit
package import Model

/// A command that the node's policy did not let pass.
package struct AuditRecord: Sendable, Hashable {
    package let command: String
    package let operation: String
    package let resource: String
    package let denial: String
    /// The controller's operation.
    package let trace: String?
    /// For whom the controller says that it acts.
    package let by: String?

    package init(
        command: String, operation: String, resource: String, denial: String, trace: String? = nil, by: String? = nil
    ) {
        self.command = command
        self.operation = operation
        self.resource = resource
        self.denial = denial
        self.trace = trace
        self.by = by
    }
}

/// The node's own append-only record of what was asked of it and denied: who, what, when and why, one line each. It takes
/// twice `limit` bytes of the disk at most, however much is asked.
package actor Audit {
    private nonisolated let thread: any SerialExecutor
    private let file: AppendOnlyFile

    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    package init(path: String, thread: any SerialExecutor, limit: Int = 16 << 20) {
        file = AppendOnlyFile(path: path, limit: limit)
        self.thread = thread
    }

    package func write(_ record: AuditRecord, at time: Timestamp = .now()) throws(FileError) {
        let fields = [
            ("time", time.iso8601), ("decision", "denied"), ("command", record.command),
            ("operation", record.operation), ("resource", record.resource), ("reason", record.denial),
            ("trace", record.trace ?? ""), ("by", record.by ?? ""),
        ]
        try file.append(fields.map { "\($0)=\(Logfmt.value($1))" }.joined(separator: " "))
    }
}
