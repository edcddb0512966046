package import Model
package import WireProtocol

/// A durable piece of work on a service or node.
package struct Operation: Codable, Sendable {
    package var id: String
    /// `provision`, `suspend`, `resume`, `upgrade`, `terminate`, `command`, …
    package var kind: String
    /// `queued`, `running`, `succeeded`, `failed`, `cancelled`, `needs_attention` or `resolved`.
    package var state: String
    package var service: String?
    package var node: String?
    /// What people call it; absent once the node is removed.
    package var nodeName: String?
    package var requestedBy: String?
    /// What people call the key, for whoever may know of keys. Not in answers to changes.
    package var requestedByName: String?
    package var createdAt: Timestamp
    package var startedAt: Timestamp?
    package var finishedAt: Timestamp?
    package var cancelRequested: Bool
    package var error: OperationError?
    package var result: JSONValue?
    /// Why, as whoever asked for it said.
    package var reason: String?
    /// How its node was chosen. Only when one operation is asked for.
    package var placement: PlacementView?
    /// All of them in order, also those that have not begun. Only when one operation is asked for.
    package var steps: [OperationStep]?
    /// Of an operation that is a command to a node.
    package var command: CommandView?

    package init(
        id: String, kind: String, state: String, service: String?, node: String?, requestedBy: String?,
        createdAt: Timestamp, startedAt: Timestamp?, finishedAt: Timestamp?, cancelRequested: Bool,
        error: OperationError?, result: JSONValue?, reason: String? = nil, placement: PlacementView? = nil,
        steps: [OperationStep]? = nil, command: CommandView? = nil
    ) {
        self.id = id
        self.kind = kind
        self.state = state
        self.service = service
        self.node = node
        self.requestedBy = requestedBy
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.cancelRequested = cancelRequested
        self.error = error
        self.result = result
        self.reason = reason
        self.placement = placement
        self.steps = steps
        self.command = command
    }

    /// Whether nothing more will happen to it by itself.
    package var isFinished: Bool { Self.finalStates.contains(state) }

    /// The states in which an operation has ended.
    package static let finalStates: Set<String> = ["succeeded", "failed", "cancelled", "needs_attention", "resolved"]
}

/// `POST /api/v1/operations/{id}/resolve`: how somebody has seen to what was left, 1 to 1000 characters.
package struct OperationResolution: Codable, Sendable {
    package var note: String

    package init(note: String) { self.note = note }
}

/// Why an operation or a step failed.
package struct OperationError: Codable, Sendable, Hashable {
    package var code: String
    package var message: String
    package var retryable: Bool
    package var resource: String?

    package init(code: String, message: String, retryable: Bool, resource: String?) {
        self.code = code
        self.message = message
        self.retryable = retryable
        self.resource = resource
    }
}

/// One step of an operation.
package struct OperationStep: Codable, Sendable, Hashable {
    package var name: String
    /// `pending`, `running`, `done`, `failed`, `skipped`, `undoing`, `undone` or `undo_failed`.
    package var state: String
    /// How often it was begun.
    package var attempts: Int
    /// A failure of an auxiliary step is a warning.
    package var auxiliary: Bool
    /// Its place among the steps, from 1, and how many there are.
    package var position: Int
    package var total: Int
    package var startedAt: Timestamp?
    package var finishedAt: Timestamp?
    package var error: OperationError?

    package init(
        name: String, state: String, attempts: Int, auxiliary: Bool, position: Int, total: Int, startedAt: Timestamp?,
        finishedAt: Timestamp?, error: OperationError?
    ) {
        self.name = name
        self.state = state
        self.attempts = attempts
        self.auxiliary = auxiliary
        self.position = position
        self.total = total
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.error = error
    }
}

/// One line of an operation's log.
package struct LogLine: Codable, Sendable, Hashable {
    package var seq: Int64
    package var time: Timestamp
    package var level: String
    package var step: String?
    package var text: String

    package init(seq: Int64, time: Timestamp, level: String, step: String?, text: String) {
        self.seq = seq
        self.time = time
        self.level = level
        self.step = step
        self.text = text
    }
}
