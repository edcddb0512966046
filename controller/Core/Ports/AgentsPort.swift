package import AgentCommands
package import WireProtocol

/// The fleet of agents, as sagas see it.
package struct AgentsPort: Sendable {
    /// Sends a command and waits for its result. A command with an id that was sent before gets the result of that one.
    /// Cancelling the task only ends the waiting: the agent goes on, and its receipt answers later.
    package var perform: @Sendable (AgentCommand, _ node: String) async throws(AgentError) -> CommandResult
    /// Sends two commands, what the first says being what the second reads, and waits for both ends. Cancelling the task asks
    /// both nodes to stop.
    package var relay:
        @Sendable (_ sender: AgentCommand, _ on: String, _ receiver: AgentCommand, _ on: String) async ->
            RelayOutcome
    /// Asks the agent to stop a command; its result says whether it did.
    package var cancel: @Sendable (_ command: String, _ reason: String) async -> Void
    /// Bytes for the input of a running command, the offset of the first, and whether they are the last.
    package var input: @Sendable (_ command: String, [UInt8], _ offset: Int64, _ end: Bool) async -> CommandInputAnswer
    /// Tells a running command the size of its terminal, rows and columns. False where no such command runs.
    package var resize: @Sendable (_ command: String, _ rows: Int64, _ columns: Int64) -> Bool
    /// Lets a running command, whose observer gives credit itself, say so many bytes more.
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
        perform: @escaping @Sendable (AgentCommand, String) async throws(AgentError) -> CommandResult,
        relay: @escaping @Sendable (AgentCommand, String, AgentCommand, String) async -> RelayOutcome = { _, _, _, _ in
            RelayOutcome(sender: nil, receiver: .failure(.absent), bytes: 0, broken: nil)
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

extension AgentError {
    fileprivate static let absent = AgentError(retryable: false, code: "unknown_node", message: "there is no such node")
}
