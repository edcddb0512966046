package import Model
import SQL
package import WireProtocol

/// One command to an agent, without its arguments and secrets.
package struct CommandRecord: Sendable, Hashable {
    package enum State: String, Sendable, Hashable, CaseIterable {
        case pending, sent, accepted, running, succeeded, failed, cancelled, interrupted, refused

        /// The agent has given its result.
        package var isFinished: Bool {
            switch self {
            case .pending, .sent, .accepted, .running: false
            case .succeeded, .failed, .cancelled, .interrupted, .refused: true
            }
        }
    }

    package var id: String
    package var operation: String?
    package var step: String?
    package var node: String
    package var resource: String
    /// What the command is: generation, driver, operation, and the agent's journal it was first sent to.
    package var body: JSONObject
    package var state: State
    /// The agent's result message.
    package var result: JSONValue?
    package var createdAt: Timestamp
    package var sentAt: Timestamp?
    package var finishedAt: Timestamp?

    package init(
        id: String, operation: String? = nil, step: String? = nil, node: String, resource: String,
        body: JSONObject, state: State = .pending, result: JSONValue? = nil, createdAt: Timestamp,
        sentAt: Timestamp? = nil, finishedAt: Timestamp? = nil
    ) {
        self.id = id
        self.operation = operation
        self.step = step
        self.node = node
        self.resource = resource
        self.body = body
        self.state = state
        self.result = result
        self.createdAt = createdAt
        self.sentAt = sentAt
        self.finishedAt = finishedAt
    }
}

extension CommandRecord: Record {
    static let table = "commands"
    static let key = ["id"]
    static var sealedColumns: [SealedColumn<CommandRecord>] { [SealedColumn("result", \.result)] }
    static let columns = [
        "id", "operation", "step", "node", "resource", "body", "state", "result", "created_at", "sent_at",
        "finished_at",
    ]

    init(row: inout any SQLRow) throws(SQLError) {
        id = try row.text()
        operation = try row.optionalText()
        step = try row.optionalText()
        node = try row.text()
        resource = try row.text()
        body = try row.object()
        state = try row.named()
        result = try row.optionalJSON()
        createdAt = try row.timestamp()
        sentAt = try row.optionalTimestamp()
        finishedAt = try row.optionalTimestamp()
    }

    var values: [any SQLBindable] {
        [
            id, operation, step, node, resource, body, state.rawValue, result, createdAt, sentAt, finishedAt,
        ]
    }
}
