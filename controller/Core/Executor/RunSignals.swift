import Saga
import WireProtocol

/// What happens to a run while it waits.
enum RunSignal: Sendable {
    /// The attempt of this number came to its end.
    case answer(Int, Result<JSONValue, StepFailure>)
    /// The attempt of this number takes too long.
    case overdue(Int)
    /// Somebody called the operation off.
    case cancel
    /// Something has changed: look again.
    case wake
}

/// The one place where a run waits. A run whose task is cancelled gets nil and stops between two journal entries.
struct RunSignals: Sendable {
    let stream: AsyncStream<RunSignal>
    private let continuation: AsyncStream<RunSignal>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream(of: RunSignal.self)
    }

    func send(_ signal: RunSignal) { continuation.yield(signal) }
}
