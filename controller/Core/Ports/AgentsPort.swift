package import WireProtocol

/// The fleet of agents, as sagas see it.
package struct AgentsPort: Sendable {
    /// Sends a command and waits for its result. A call with an id that was sent before gets the result of that one.
    /// Cancelling the task only ends the waiting: the agent goes on, and its receipt answers later.
    package var perform: @Sendable (AgentCall, _ node: String) async throws(AgentError) -> CommandResult
    /// Sends two commands, what the first says being what the second reads, and waits for both ends. Cancelling the task asks
    /// both nodes to stop.
    package var relay:
        @Sendable (_ sender: AgentCall, _ on: String, _ receiver: AgentCall, _ on: String) async ->
            RelayOutcome
    /// Asks the agent to stop a command; its result says whether it did.
    package var cancel: @Sendable (_ command: String, _ reason: String) async -> Void
    /// Bytes for the input of a running command, the offset of the first, and whether they are the last.
    package var input: @Sendable (_ command: String, [UInt8], _ offset: Int64, _ end: Bool) async -> CommandInputAnswer
    /// Tells a running command the size of its terminal, rows and columns. False where no such command runs.
    package var resize: @Sendable (_ command: String, _ rows: Int64, _ columns: Int64) -> Bool
    /// Lets a running command, whose call has `onOutput`, say so many bytes more.
    package var grant: @Sendable (_ command: String, _ bytes: Int) -> Void
    /// Ids of the nodes that have a live session.
    package var connected: @Sendable () async -> Set<String>
    /// Refuses the node from now on, and cuts its live session at once, if there is one.
    package var revoke: @Sendable (_ node: String) async -> Void
    /// A node was removed for good: what is remembered of it may go.
    package var forget: @Sendable (_ node: String) async -> Void
    /// The measured load of nodes, 0 (idle) to 1 (busy); nodes without recent figures are absent.
    package var loads: @Sendable () async -> [String: Double]

    package init(
        perform: @escaping @Sendable (AgentCall, String) async throws(AgentError) -> CommandResult,
        relay: @escaping @Sendable (AgentCall, String, AgentCall, String) async -> RelayOutcome = { _, _, _, _ in
            RelayOutcome(sender: nil, receiver: .failure(.absent), bytes: 0, broken: nil, isComplete: false)
        },
        cancel: @escaping @Sendable (String, String) async -> Void = { _, _ in },
        input: @escaping @Sendable (String, [UInt8], Int64, Bool) async -> CommandInputAnswer = { _, _, _, _ in .unknown
        },
        resize: @escaping @Sendable (String, Int64, Int64) -> Bool = { _, _, _ in false },
        grant: @escaping @Sendable (String, Int) -> Void = { _, _ in },
        connected: @escaping @Sendable () async -> Set<String>,
        revoke: @escaping @Sendable (String) async -> Void = { _ in },
        forget: @escaping @Sendable (String) async -> Void = { _ in },
        loads: @escaping @Sendable () async -> [String: Double] = { [:] }
    ) {
        self.perform = perform
        self.relay = relay
        self.cancel = cancel
        self.input = input
        self.resize = resize
        self.grant = grant
        self.connected = connected
        self.revoke = revoke
        self.forget = forget
        self.loads = loads
    }
}

/// One typed order to one agent.
package struct AgentCall: Sendable {
    package var id: String
    /// The resource whose lane it runs in: `zfs/<dataset>`, `docker/<container>`.
    package var resource: String
    package var generation: Int64
    package var driver: String
    package var operation: String
    package var arguments: JSONObject
    /// Never stored, never logged.
    package var secrets: JSONObject
    /// From acceptance by the agent.
    package var deadline: Duration
    /// The operation that it belongs to; nil for a look that no operation asked for.
    package var trace: String?
    package var step: String
    /// Who asked for it, for the node's audit log.
    package var by: String?
    /// It changes nothing: a node that nobody has approved yet may be asked too.
    package var isLook: Bool
    package var onProgress: @Sendable (_ message: String, _ fraction: Double?) -> Void
    /// Takes the output, and sees to the credit for it; nil drops it.
    package var onOutput: (@Sendable (Output) -> Void)?

    package init(
        id: String, resource: String, generation: Int64, driver: String, operation: String, arguments: JSONObject,
        secrets: JSONObject = [:], deadline: Duration, trace: String?, step: String, by: String? = nil,
        isLook: Bool = false,
        onProgress: @escaping @Sendable (String, Double?) -> Void = { _, _ in },
        onOutput: (@Sendable (Output) -> Void)? = nil
    ) {
        self.id = id
        self.resource = resource
        self.generation = generation
        self.driver = driver
        self.operation = operation
        self.arguments = arguments
        self.secrets = secrets
        self.deadline = deadline
        self.trace = trace
        self.step = step
        self.by = by
        self.isLook = isLook
        self.onProgress = onProgress
        self.onOutput = onOutput
    }
}

/// How two joined commands ended.
package struct RelayOutcome: Sendable {
    /// Nil when it was not begun.
    package var sender: Result<CommandResult, AgentError>?
    package var receiver: Result<CommandResult, AgentError>
    /// Bytes that the receiver's node was handed.
    package var bytes: Int64
    /// Why both were ended in between; nil when they were not.
    package var broken: String?
    /// The receiver has all there is.
    package var isComplete: Bool

    package init(
        sender: Result<CommandResult, AgentError>?, receiver: Result<CommandResult, AgentError>, bytes: Int64,
        broken: String?, isComplete: Bool
    ) {
        self.sender = sender
        self.receiver = receiver
        self.bytes = bytes
        self.broken = broken
        self.isComplete = isComplete
    }
}

/// What became of bytes for the input of a command.
package enum CommandInputAnswer: Sendable, Hashable {
    case taken(upTo: Int64)
    /// The command has not read what it has; the same bytes again later.
    case full
    /// Bytes before these are missing: the input goes on at this place.
    case gap(from: Int64)
    /// The input was ended before.
    case ended
    /// No such command runs.
    case unknown
}

/// Why there is no result. What the agent did, or will still do, is not known.
package struct AgentError: Error, Sendable, Hashable {
    /// Whether the same command may be sent again; false when the node is unknown or revoked.
    package var retryable: Bool
    /// `unreachable`, `no_answer`, `revoked`, …
    package var code: String
    /// One sentence for people.
    package var message: String

    package init(retryable: Bool, code: String, message: String) {
        self.retryable = retryable
        self.code = code
        self.message = message
    }
}

extension AgentError {
    fileprivate static let absent = AgentError(retryable: false, code: "unknown_node", message: "there is no such node")
}
