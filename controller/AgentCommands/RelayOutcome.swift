package import WireProtocol

/// How two joined commands ended.
package struct RelayOutcome: Sendable {
    /// Nil when it was not begun.
    package var sender: Result<CommandResult, AgentError>?
    package var receiver: Result<CommandResult, AgentError>
    /// Bytes that the receiver's node was handed.
    package var bytes: Int64
    /// Why both were ended in between; nil when they were not.
    package var broken: String?

    package init(
        sender: Result<CommandResult, AgentError>?, receiver: Result<CommandResult, AgentError>, bytes: Int64,
        broken: String?
    ) {
        self.sender = sender
        self.receiver = receiver
        self.bytes = bytes
        self.broken = broken
    }

    /// The receiver has all there is: only two successes are one, and a receiver that had everything already, whose sender was
    /// stopped.
    package var isComplete: Bool {
        guard broken == nil, case .success(let received) = receiver, received.status == .succeeded else { return false }
        if case .success(let sent)? = sender, sent.status == .succeeded { return true }
        return !received.changed
    }
}
