/// What may still exist after an undo could not be done.
package struct Leftover: Sendable, Hashable {
    /// The step whose effect may remain.
    package var step: String
    /// Why, in a few words: the last failure of the undo, or that it was not tried.
    package var reason: String

    package init(step: String, reason: String) {
        self.step = step
        self.reason = reason
    }
}

/// How a saga ended.
package enum SagaOutcome: Sendable, Hashable {
    case succeeded
    /// Everything was undone.
    case failed(StepFailure)
    /// Cancelled, and everything was undone.
    case cancelled
    /// Something is left over, or may be.
    case needsAttention(StepFailure, leftovers: [Leftover])
}
