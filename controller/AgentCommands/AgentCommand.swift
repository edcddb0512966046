package import WireProtocol

/// One command to one agent: what the controller's core asks for and its sessions send.
package struct AgentCommand: Sendable {
    /// Unique for ever: the agent answers a repeated id with its receipt instead of doing the work again.
    package var id: String
    /// In whose lane it runs: `zfs/<dataset>`, `docker/<container>`.
    package var resource: String
    /// Rises with every operation on the resource; the agent refuses one older than the last it saw.
    package var generation: Int64
    package var driver: String
    /// Without the driver's name: `dataset.ensure`.
    package var action: String
    package var arguments: JSONObject
    /// Values for the tool's standard input or files; never stored, never logged.
    package var secrets: JSONObject
    /// How long the work may take, counted by the agent from its acceptance.
    package var deadline: Duration
    /// How long to wait for a node that is away before giving the caller `AgentError.unreachable`.
    package var patience: Duration
    /// The operation that it belongs to; nil for a look that no operation asked for.
    package var trace: String?
    /// Who asked for it, for the node's audit log.
    package var by: String?
    /// It changes nothing: a node that nobody has approved yet may be asked too.
    package var isLook: Bool
    package var observer: CommandObserver

    package init(
        id: String, resource: String, generation: Int64, driver: String, action: String,
        arguments: JSONObject = [:], secrets: JSONObject = [:], deadline: Duration = .seconds(60),
        patience: Duration = .seconds(60), trace: String? = nil, by: String? = nil, isLook: Bool = false,
        observer: CommandObserver = CommandObserver()
    ) {
        self.id = id
        self.resource = resource
        self.generation = generation
        self.driver = driver
        self.action = action
        self.arguments = arguments
        self.secrets = secrets
        self.deadline = deadline
        self.patience = patience
        self.trace = trace
        self.by = by
        self.isLook = isLook
        self.observer = observer
    }
}

/// Hears what a command tells on its way; each is called in order, and output waits for the one before it.
package struct CommandObserver: Sendable {
    package var accepted: @Sendable () async -> Void
    package var progress: @Sendable (CommandProgress) async -> Void
    /// The agent may send more only after this returned: its credit is what was consumed.
    package var output: @Sendable (Output) async -> Void
    /// The observer itself gives credit for what it was told.
    package var grantsCredit: Bool

    package init(
        accepted: @escaping @Sendable () async -> Void = {},
        progress: @escaping @Sendable (CommandProgress) async -> Void = { _ in },
        output: @escaping @Sendable (Output) async -> Void = { _ in }, grantsCredit: Bool = false
    ) {
        self.accepted = accepted
        self.progress = progress
        self.output = output
        self.grantsCredit = grantsCredit
    }
}

/// What became of bytes for the input of a command.
package enum CommandInputAnswer: Sendable, Hashable {
    /// All bytes up to this place are on their way, or held until the node is back.
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
