import AgentCommands
import Model
import Saga
import Store
import WireProtocol

/// How the end of a saga reads in the operation's row.
extension SagaOutcome {
    var state: OperationRecord.State {
        switch self {
        case .succeeded: .succeeded
        case .failed: .failed
        case .cancelled: .cancelled
        case .needsAttention: .needsAttention
        }
    }

    var failure: OperationFailure? {
        switch self {
        case .succeeded, .cancelled: nil
        case .failed(let cause): cause.record(message: cause.message)
        case .needsAttention(let cause, let leftovers):
            cause.record(
                message: leftovers.isEmpty
                    ? cause.message
                    : "\(cause.message); left over or unknown: "
                        + leftovers.map { "\($0.step) (\($0.reason))" }.joined(separator: ", "))
        }
    }

    func result(warnings: [(step: String, failure: StepFailure)]) -> JSONObject {
        var result: JSONObject = [:]
        if !warnings.isEmpty {
            result["warnings"] = .array(
                warnings.map { .object(["step": .string($0.step), "message": .string($0.failure.message)]) })
        }
        if case .needsAttention(_, let leftovers) = self {
            result["leftovers"] = .array(
                leftovers.map { .object(["step": .string($0.step), "reason": .string($0.reason)]) })
        }
        return result
    }
}

extension StepFailure {
    /// Nothing has failed: the controller stopped while it waited for an answer.
    var isOfAStop: Bool { code == AgentError.abandonedCode }

    fileprivate func record(message: String) -> OperationFailure {
        OperationFailure(code: code, message: message, retryable: kind != .final, resource: resource)
    }
}

extension JournalEntry {
    /// The entry in words, for the operation's log.
    func logLine(at time: Timestamp) -> OperationLogLine {
        func line(_ level: String, _ step: String?, _ text: String) -> OperationLogLine {
            OperationLogLine(time: time, level: level, step: step, text: text)
        }
        switch self {
        case .started: return line("info", nil, "started")
        case .stepStarted(let step, 1, _): return line("info", step, "begins")
        case .stepStarted(let step, let attempt, _): return line("info", step, "attempt \(attempt)")
        case .stepSucceeded(let step, _): return line("info", step, "done")
        case .stepFailed(let step, let failure) where failure.isOfAStop:
            return line("info", step, "the controller stops; this goes on after its next start")
        case .stepFailed(let step, let failure): return line("warning", step, failure.message)
        case .stepSkipped(let step): return line("warning", step, "given up, going on without it")
        case .unwindStarted(let cause, _): return line("warning", nil, "going back: \(cause.message)")
        case .undoStarted(let step, 1, _): return line("info", step, "undoing")
        case .undoStarted(let step, let attempt, _): return line("info", step, "undoing, attempt \(attempt)")
        case .undone(let step): return line("info", step, "undone")
        case .undoFailed(let step, let failure) where failure.isOfAStop:
            return line("info", step, "the controller stops; undoing goes on after its next start")
        case .undoFailed(let step, let failure): return line("warning", step, "not undone: \(failure.message)")
        case .finished(let outcome):
            let words = outcome.failure.map { ": \($0.message)" } ?? ""
            return line(outcome.failure == nil ? "info" : "error", nil, outcome.state.rawValue + words)
        }
    }
}
