package import Model
package import WireProtocol

/// What the driver of a machine has to do now.
package enum SagaDecision: Sendable, Hashable {
    /// Store this entry, then apply it.
    case record(JournalEntry)
    /// Do the step under this command id (again under the same one after a crash), then record how it went.
    case perform(step: Int, attempt: Int, command: String)
    /// Undo the step under this command id, then record how it went.
    case undo(step: Int, attempt: Int, command: String)
    /// Nothing before this time, unless something happens.
    case wait(until: Timestamp)
    case done(SagaOutcome)
}

extension SagaMachine {
    /// Decides. `context` is frozen into the journal when the saga starts; `cancelled` says that somebody asked to
    /// stop it; `present` names nodes that are there, so that nobody waits any longer for one of them.
    package func next(
        now: Timestamp, cancelled: Bool, present: Set<String> = [], context: JSONObject = [:]
    ) -> SagaDecision {
        switch phase {
        case .fresh:
            if cancelled { return .record(.finished(.cancelled)) }
            return .record(.started(deadline: now + table.deadline, context: context))
        case .forward(let deadline):
            return forward(now: now, deadline: deadline, cancelled: cancelled, present: present)
        case .unwinding(let cause, let deadline):
            return backward(now: now, deadline: deadline, cause: cause)
        case .finished(let outcome):
            return .done(outcome)
        }
    }

    // MARK: forward

    private func forward(
        now: Timestamp, deadline: Timestamp, cancelled: Bool, present: Set<String>
    ) -> SagaDecision {
        guard let index = steps.firstIndex(where: { $0.state != .succeeded && $0.state != .skipped }) else {
            return .record(.finished(.succeeded))
        }
        let (policy, progress) = (table.steps[index], steps[index])
        // What may be under way is not left behind: whoever asks for it again can stop it, and hears how far it came.
        let isUnderWay = progress.state == .running && now < deadline
        if cancelled && table.direction == .unwind && !isUnderWay { return turnBack(because: .cancelled, now: now) }
        if now >= deadline { return giveUp(index, because: late(index), now: now) }
        switch progress.state {
        case .running:
            return .perform(step: index, attempt: progress.attempts, command: progress.command ?? "")
        case .failed:
            return afterFailure(index, now: now, deadline: deadline, present: present)
        default:
            return .record(.stepStarted(step: policy.name, attempt: 1, command: command(policy.name, 1)))
        }
    }

    private func afterFailure(
        _ index: Int, now: Timestamp, deadline: Timestamp, present: Set<String>
    ) -> SagaDecision {
        let (policy, progress) = (table.steps[index], steps[index])
        guard let failure = progress.failure, let failedAt = progress.failedAt else {
            return .record(.stepStarted(step: policy.name, attempt: 1, command: command(policy.name, 1)))
        }
        switch policy.verdict(on: failure, attempts: progress.attempts, unanswered: progress.unanswered) {
        case .givenUp:
            return giveUp(index, because: failure, now: now)
        case .sameCommand(let wait):
            if now < failedAt + wait { return .wait(until: min(failedAt + wait, deadline)) }
            return .perform(step: index, attempt: progress.attempts, command: progress.command ?? "")
        case .newAttempt(let wait):
            if now < failedAt + wait, present.isDisjoint(with: failure.awaitedNodes) {
                return .wait(until: min(failedAt + wait, deadline))
            }
            let attempt = progress.attempts + 1
            return .record(
                .stepStarted(step: policy.name, attempt: attempt, command: command(policy.name, attempt)))
        }
    }

    private func giveUp(_ index: Int, because failure: StepFailure, now: Timestamp) -> SagaDecision {
        if table.steps[index].weight == .auxiliary { return .record(.stepSkipped(step: table.steps[index].name)) }
        if table.direction == .unwind { return turnBack(because: failure, now: now) }
        let left = table.steps[index...].map { Leftover(step: $0.name, reason: "not done") }
        return .record(.finished(.needsAttention(failure, leftovers: left)))
    }

    private func turnBack(because cause: StepFailure, now: Timestamp) -> SagaDecision {
        .record(.unwindStarted(cause: cause, deadline: now + table.unwindAllowance))
    }

    private func late(_ index: Int) -> StepFailure {
        var failure =
            steps[index].failure
            ?? StepFailure(.final, code: "timed_out", message: "the operation's time was up", effect: .none)
        failure.message = "the operation's time was up at step \(table.steps[index].name): \(failure.message)"
        return failure
    }

    // MARK: backward

    private func backward(now: Timestamp, deadline: Timestamp, cause: StepFailure) -> SagaDecision {
        guard let index = steps.indices.last(where: { steps[$0].touched && table.steps[$0].undoable }) else {
            return .record(.finished(cause.code == StepFailure.cancelled.code ? .cancelled : .failed(cause)))
        }
        let (policy, progress) = (table.steps[index], steps[index])
        if now >= deadline { return stuck(at: index, cause: cause) }
        switch progress.state {
        case .undoing:
            return .undo(step: index, attempt: progress.undoAttempts, command: progress.command ?? "")
        case .undoFailed:
            return afterUndoFailure(index, now: now, deadline: deadline, cause: cause)
        default:
            return .record(.undoStarted(step: policy.name, attempt: 1, command: undoCommand(policy.name, 1)))
        }
    }

    private func afterUndoFailure(
        _ index: Int, now: Timestamp, deadline: Timestamp, cause: StepFailure
    ) -> SagaDecision {
        let (policy, progress) = (table.steps[index], steps[index])
        guard let failure = progress.failure, let failedAt = progress.failedAt else {
            return stuck(at: index, cause: cause)
        }
        // Undoing is ensure-style by contract and a leftover is dear, so it goes on where an auxiliary step would not.
        var stubborn = policy
        (stubborn.weight, stubborn.onInterrupted) = (.core, .retry)
        switch stubborn.verdict(on: failure, attempts: progress.undoAttempts, unanswered: progress.unanswered) {
        case .givenUp:
            return stuck(at: index, cause: cause)
        case .sameCommand(let wait):
            if now < failedAt + wait { return .wait(until: min(failedAt + wait, deadline)) }
            return .undo(step: index, attempt: progress.undoAttempts, command: progress.command ?? "")
        case .newAttempt(let wait):
            if now < failedAt + wait { return .wait(until: min(failedAt + wait, deadline)) }
            let attempt = progress.undoAttempts + 1
            return .record(
                .undoStarted(step: policy.name, attempt: attempt, command: undoCommand(policy.name, attempt)))
        }
    }

    private func stuck(at index: Int, cause: StepFailure) -> SagaDecision {
        let left = steps.indices[...index].reversed().filter { steps[$0].touched && table.steps[$0].undoable }
        let leftovers = left.map { step in
            Leftover(step: table.steps[step].name, reason: step == index ? undoProblem(step) : "its undo was not tried")
        }
        return .record(.finished(.needsAttention(cause, leftovers: leftovers)))
    }

    private func undoProblem(_ index: Int) -> String {
        guard steps[index].undoAttempts > 0, let failure = steps[index].failure else { return "its undo was not tried" }
        return failure.kind == .unanswered ? "unknown: \(failure.message)" : failure.message
    }

    // MARK: command ids

    /// Ids follow from the operation, the step and the attempt, so no randomness is needed and logs read well.
    private func command(_ step: String, _ attempt: Int) -> String { "\(operation).\(step).\(attempt)" }

    private func undoCommand(_ step: String, _ attempt: Int) -> String { "\(operation).\(step).undo.\(attempt)" }
}

extension StepPolicy {
    fileprivate enum Verdict {
        case givenUp
        case sameCommand(after: Duration)
        case newAttempt(after: Duration)
    }

    fileprivate func verdict(on failure: StepFailure, attempts: Int, unanswered: Int) -> Verdict {
        switch failure.kind {
        case .final:
            return .givenUp
        case .interrupted where onInterrupted == .fail:
            return .givenUp
        case .interrupted, .retryable:
            return attempts < retry.attempts ? .newAttempt(after: retry.wait(after: attempts)) : .givenUp
        case .unanswered:
            // A core step waits for its node until the operation's time is up; an auxiliary one is not worth that.
            if weight == .auxiliary && unanswered >= retry.attempts { return .givenUp }
            return .sameCommand(after: retry.wait(after: unanswered))
        }
    }
}
