package import Model
package import WireProtocol

/// One fact about a running saga. The journal is append-only; replaying it gives the state of the machine.
///
/// A step's command id is recorded before anything is sent, so after a crash the same id is sent again.
package enum JournalEntry: Sendable, Hashable {
    /// The saga began. `context` holds facts frozen at that moment, such as the state that the service came from.
    case started(deadline: Timestamp, context: JSONObject)
    case stepStarted(step: String, attempt: Int, command: String)
    case stepSucceeded(step: String, output: JSONValue)
    case stepFailed(step: String, failure: StepFailure)
    /// An auxiliary step was given up; the saga goes on without it.
    case stepSkipped(step: String)
    /// From here on the saga goes back.
    case unwindStarted(cause: StepFailure, deadline: Timestamp)
    case undoStarted(step: String, attempt: Int, command: String)
    case undone(step: String)
    case undoFailed(step: String, failure: StepFailure)
    case finished(SagaOutcome)
}

/// A journal that cannot be replayed: it names an unknown step, or an entry that cannot follow the ones before.
package struct JournalError: Error, Sendable, Hashable, CustomStringConvertible {
    package var problem: String

    package init(_ problem: String) { self.problem = problem }

    package var description: String { "the journal cannot be replayed: \(problem)" }
}
