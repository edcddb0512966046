/// Why an attempt at a step, or at its undo, did not succeed.
package struct StepFailure: Error, Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        /// Another attempt may succeed.
        case retryable
        /// No attempt will succeed.
        case final
        /// The agent was cut off in the middle; the step's policy decides.
        case interrupted
        /// No answer came: the node is unreachable or silent. Whether anything happened is unknown. The same command
        /// is sent again, and the agent's receipt answers.
        case unanswered
    }

    /// Whether the attempt can have changed anything outside.
    package enum Effect: String, Sendable, Hashable {
        case none
        case possible
    }

    package var kind: Kind
    /// A short machine-readable word: `conflict`, `out_of_space`, `unreachable`.
    package var code: String
    /// One sentence for people.
    package var message: String
    /// What it happened to, when that is known: `docker/svc-1`.
    package var resource: String?
    package var effect: Effect
    /// Nodes that are away: another attempt is worth while as soon as one of them is back.
    package var awaitedNodes: [String]

    package init(
        _ kind: Kind, code: String, message: String, resource: String? = nil, effect: Effect = .possible,
        awaitedNodes: [String] = []
    ) {
        self.kind = kind
        self.code = code
        self.message = message
        self.resource = resource
        self.effect = effect
        self.awaitedNodes = awaitedNodes
    }

    /// The cause of an unwinding that somebody asked for.
    package static let cancelled = StepFailure(
        .final, code: "cancelled", message: "the operation was cancelled", effect: .none)
}
