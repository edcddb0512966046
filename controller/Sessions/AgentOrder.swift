package import WireProtocol

/// One typed command to one agent, as the controller's core states it.
package struct AgentOrder: Sendable {
    /// Unique for ever: the agent answers a repeated id with its receipt instead of doing the work again.
    package var id: String
    package var resource: String
    /// Rises with every operation on the resource; the agent refuses one older than the last it saw.
    package var generation: Int64
    package var driver: String
    package var operation: String
    package var arguments: JSONObject
    /// Values for the tool's standard input or files; never stored, never logged.
    package var secrets: JSONObject
    /// How long the work may take, counted by the agent from its acceptance.
    package var deadline: Duration
    /// How long to wait for a node that is away before giving the caller `FleetError.unreachable`.
    package var patience: Duration
    /// The operation that this order belongs to.
    package var trace: String?
    /// Who asked for it, for the node's audit log.
    package var by: String?
    /// It changes nothing: a node that nobody has approved yet may be asked too.
    package var isLook: Bool

    package init(
        id: String, resource: String, generation: Int64, driver: String, operation: String,
        arguments: JSONObject = [:], secrets: JSONObject = [:], deadline: Duration = .seconds(60),
        patience: Duration = .seconds(60), trace: String? = nil, by: String? = nil,
        isLook: Bool = false
    ) {
        self.id = id
        self.resource = resource
        self.generation = generation
        self.driver = driver
        self.operation = operation
        self.arguments = arguments
        self.secrets = secrets
        self.deadline = deadline
        self.patience = patience
        self.trace = trace
        self.by = by
        self.isLook = isLook
    }
}

/// What an order tells on its way; each is called in order and output waits for the one before it.
package struct CommandObserver: Sendable {
    package var accepted: @Sendable () async -> Void
    package var progress: @Sendable (CommandProgress) async -> Void
    /// The agent may send more only after this returned: its credit is what was consumed.
    package var output: @Sendable (Output) async -> Void
    /// The observer itself gives credit for what it was told, by `Fleet.grant`.
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

/// Why an order ended without a result of the agent. None of these says that the work was not done, except
/// `unknownNode`, `revoked`, `unapproved` and `overload`, which are raised before anything is sent.
package enum FleetError: Error, Sendable, Hashable {
    case unknownNode(String)
    case revoked(node: String)
    /// Nobody has said yet that the node may be trusted.
    case unapproved(node: String)
    /// The node was away for longer than the order's patience. Whether the command reached it is unknown.
    case unreachable(node: String)
    /// The node is connected but did not answer within the deadline and the time to stop a child.
    case noAnswer(node: String, command: String)
    /// Too many orders wait for this node.
    case overload(node: String)
    /// The same id is already being waited for.
    case inFlight(command: String)
    /// The caller stopped waiting, or the controller shuts down; the agent goes on.
    case abandoned(command: String)
    /// The order could not be recorded or its result could not be read.
    case store(String)

    /// True when the same order, with the same id, may be tried again.
    package var isRetryable: Bool {
        switch self {
        case .unknownNode, .revoked, .unapproved: false
        default: true
        }
    }
}

extension FleetError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unknownNode(let node): "node \(node) is not enrolled"
        case .revoked(let node): "node \(node) is revoked"
        case .unapproved(let node): "node \(node) is not approved: it gets nothing to do before somebody approves it"
        case .unreachable(let node): "node \(node) is unreachable; whether the command reached it is unknown"
        case .noAnswer(let node, let command):
            "node \(node) did not answer command \(command) in time; its outcome is unknown"
        case .overload(let node): "too many commands wait for node \(node)"
        case .inFlight(let command): "command \(command) is already under way"
        case .abandoned(let command): "nobody waits for command \(command) any more; the node goes on with it"
        case .store(let problem): "the command could not be recorded: \(problem)"
        }
    }
}
