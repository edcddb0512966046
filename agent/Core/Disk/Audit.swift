package import DaemonKit
package import Model

/// A command that the node's policy did not let pass.
package struct AuditRecord: Sendable, Hashable {
    package let command: String
    package let operation: String
    package let resource: String
    package let denial: String
    package let trace: String?
}

/// The node's own append-only record of what was asked of it and denied.
package actor Audit {
    private nonisolated let thread: any SerialExecutor
    private let file: AppendOnlyFile

    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    package init(path: String, thread: any SerialExecutor) {
        file = AppendOnlyFile(path: path)
        self.thread = thread
    }

    package func write(_ record: AuditRecord, at time: Timestamp = .now()) throws(FileError) {
        let fields = [
            ("time", time.iso8601), ("decision", "denied"), ("command", record.command),
            ("operation", record.operation), ("resource", record.resource), ("reason", record.denial),
            ("trace", record.trace ?? ""),
        ]
        try file.append(fields.map { "\($0)=\(Logfmt.value($1))" }.joined(separator: " "))
    }
}
