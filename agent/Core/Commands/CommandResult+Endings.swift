import DriverKit
import Model
import WireProtocol

/// The ways in which a command ends.
extension Work {
    func succeeded(_ outcome: ActionOutcome, now: Timestamp) -> CommandResult {
        CommandResult(
            id: command.id, status: .succeeded, changed: outcome.changed, observed: outcome.observed,
            started: started?.milliseconds, finished: now.milliseconds,
            outputBytes: window.written(.stdout) > 0 || spec.givesBytes ? window.written(.stdout) : nil)
    }

    /// The driver failed; when it had been asked to stop, that is why.
    func failed(_ error: DriverError, now: Timestamp) -> CommandResult {
        let detail = error.cause
        switch stop {
        case nil:
            let code = CommandErrorCode(code: error.code.rawValue)
            return ended(
                .failed, code, error.message, retryable: error.retryable, detail: detail, changed: error.changed,
                observed: error.observed, now: now)
        case .deadline:
            let message = "the deadline of \(command.deadlineMs) ms passed; \(error.message)"
            return ended(.failed, .timedOut, message, retryable: true, detail: detail, changed: error.changed, now: now)
        case .cancel(let reason):
            return ended(
                .cancelled, .cancelled, "cancelled (\(reason)); \(error.message)", detail: detail,
                changed: error.changed, now: now)
        case .shutdown:
            let message = "the agent stopped while the command ran; it may have been done in part"
            return ended(.interrupted, .interrupted, message, detail: detail, changed: error.changed, now: now)
        case .inputOverflow:
            return ended(
                .failed, .failed, "input came faster than it was taken, or not whole", detail: detail,
                changed: error.changed,
                now: now)
        }
    }

    /// It was asked to stop before it began.
    func neverBegan(_ stop: Stop, now: Timestamp) -> CommandResult {
        switch stop {
        case .deadline:
            let message = "the deadline of \(command.deadlineMs) ms passed before the command began; nothing was done"
            return ended(.failed, .timedOut, message, retryable: true, now: now)
        case .shutdown:
            let message = "the agent stopped before the command began; nothing was done"
            return ended(.interrupted, .notStarted, message, retryable: true, now: now)
        case .cancel(let reason):
            return ended(.cancelled, .cancelled, "cancelled before it began (\(reason)); nothing was done", now: now)
        case .inputOverflow: return ended(.failed, .failed, "input came before the command began", now: now)
        }
    }

    /// It was asked to stop and did not.
    func givenUp(now: Timestamp) -> CommandResult {
        let message = "the command did not stop when it was asked to; it holds its resource until it does"
        return ended(.failed, .unknownOutcome, message, now: now)
    }

    func unwritable(_ problem: String, now: Timestamp) -> CommandResult {
        let message = "the start could not be written to the journal, so the command was not started: \(problem)"
        return ended(.failed, .journal, message, retryable: true, now: now)
    }

    private func ended(
        _ status: CommandStatus, _ code: CommandErrorCode, _ message: String, retryable: Bool = false,
        detail: String? = nil, changed: Bool = false, observed: JSONObject = [:], now: Timestamp
    ) -> CommandResult {
        let error = CommandError(
            code: code, message: message, retryable: retryable, operation: command.fullOperation,
            resource: command.resource, detail: detail)
        return CommandResult(
            id: command.id, status: status, changed: changed, observed: observed, error: error,
            started: started?.milliseconds,
            finished: now.milliseconds)
    }
}

extension Command {
    /// With the driver's name, as policies and people say it: `docker.container.ensure`.
    var fullOperation: String { "\(driver).\(operation)" }

    /// The command as its driver gets it.
    var call: ActionCall {
        ActionCall(action: operation, resource: resource, arguments: arguments, secrets: secrets ?? [:])
    }

    /// Nothing was done and nothing was written.
    func refused(
        _ code: CommandErrorCode, _ message: String, retryable: Bool = false, now: Timestamp
    ) -> CommandResult {
        let error = CommandError(
            code: code, message: message, retryable: retryable, operation: fullOperation, resource: resource)
        return CommandResult(id: id, status: .refused, changed: false, error: error, finished: now.milliseconds)
    }
}
