package import Model
package import WireProtocol

/// How far one step has come.
package struct StepProgress: Sendable, Hashable {
    package enum State: String, Sendable, Hashable {
        case pending, running, failed, succeeded, skipped, undoing, undoFailed, undone
    }

    package internal(set) var state: State = .pending
    /// Attempts begun at the step.
    package internal(set) var attempts = 0
    /// Attempts begun at its undo.
    package internal(set) var undoAttempts = 0
    /// The id under which the current attempt was, or will again be, sent.
    package internal(set) var command: String?
    package internal(set) var output: JSONValue?
    /// The last failure of the step or of its undo.
    package internal(set) var failure: StepFailure?
    package internal(set) var failedAt: Timestamp?
    /// How often in a row the current attempt went unanswered.
    package internal(set) var unanswered = 0
    /// Whether anything outside can have changed and is not known to be undone.
    package internal(set) var touched = false

    mutating func begin(attempt: Int, command: String) {
        (state, attempts, self.command, unanswered, touched) = (.running, attempt, command, 0, true)
    }

    mutating func fail(_ failure: StepFailure, at time: Timestamp, soleAttempt: Bool) {
        (state, self.failure, failedAt) = (.failed, failure, time)
        unanswered = failure.kind == .unanswered ? unanswered + 1 : 0
        // An earlier attempt may have left something, so only the word of the first one counts, and only an answer.
        if soleAttempt && failure.effect == .none && failure.kind != .unanswered { touched = false }
    }

    mutating func beginUndo(attempt: Int, command: String) {
        (state, undoAttempts, self.command, unanswered) = (.undoing, attempt, command, 0)
    }

    mutating func failUndo(_ failure: StepFailure, at time: Timestamp) {
        (state, self.failure, failedAt) = (.undoFailed, failure, time)
        unanswered = failure.kind == .unanswered ? unanswered + 1 : 0
    }
}
