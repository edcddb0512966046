/// Why a command ended without a result of the agent. None of these says that the work was not done, except `unknownNode`,
/// `revoked`, `unapproved` and `overload`, which are raised before anything is sent.
package struct AgentError: Error, Sendable, Hashable {
    /// Whether the same command, with the same id, may be sent again.
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

extension AgentError: CustomStringConvertible {
    package var description: String { message }
}

extension AgentError {
    package static func unknownNode(_ node: String) -> AgentError {
        AgentError(retryable: false, code: "unknown_node", message: "node \(node) is not enrolled")
    }

    package static func revoked(node: String) -> AgentError {
        AgentError(retryable: false, code: "revoked", message: "node \(node) is revoked")
    }

    /// Nobody has said yet that the node may be trusted.
    package static func unapproved(node: String) -> AgentError {
        AgentError(
            retryable: false, code: "not_approved",
            message: "node \(node) is not approved: it gets nothing to do before somebody approves it")
    }

    /// The node was away for longer than the command's patience. Whether the command reached it is unknown.
    package static func unreachable(node: String) -> AgentError {
        AgentError(
            retryable: true, code: "unreachable",
            message: "node \(node) is unreachable; whether the command reached it is unknown")
    }

    /// The node is connected but did not answer within the deadline and the time to stop a child.
    package static func noAnswer(node: String, command: String) -> AgentError {
        AgentError(
            retryable: true, code: "no_answer",
            message: "node \(node) did not answer command \(command) in time; its outcome is unknown")
    }

    /// Too many commands wait for this node.
    package static func overload(node: String) -> AgentError {
        AgentError(retryable: true, code: "overload", message: "too many commands wait for node \(node)")
    }

    /// The same id is already being waited for.
    package static func inFlight(command: String) -> AgentError {
        AgentError(retryable: true, code: "in_flight", message: "command \(command) is already under way")
    }

    /// The caller stopped waiting, or the controller shuts down; the agent goes on.
    package static func abandoned(command: String) -> AgentError {
        AgentError(
            retryable: true, code: abandonedCode,
            message: "nobody waits for command \(command) any more; the node goes on with it")
    }

    /// Nothing went wrong: the work goes on with the controller's next start.
    package static let abandonedCode = "abandoned"

    /// The command could not be recorded or its result could not be read.
    package static func store(_ problem: String) -> AgentError {
        AgentError(retryable: true, code: "store", message: "the command could not be recorded: \(problem)")
    }
}
