package import Model
package import WireProtocol

/// The state of one saga, made from its journal. Pure: it has no clock and does nothing itself.
///
/// The driver of a machine asks `next`, does what it says, and applies each entry after it is safely stored.
package struct SagaMachine: Sendable {
    package enum Phase: Sendable, Hashable {
        case fresh
        case forward(deadline: Timestamp)
        case unwinding(cause: StepFailure, deadline: Timestamp)
        case finished(SagaOutcome)
    }

    package let table: SagaTable
    /// The operation's id: the stem of its command ids.
    package let operation: String
    package private(set) var phase: Phase = .fresh
    package private(set) var context: JSONObject = [:]
    package private(set) var steps: [StepProgress]

    package init(_ table: SagaTable, operation: String) {
        self.table = table
        self.operation = operation
        steps = table.steps.map { _ in StepProgress() }
    }

    /// The machine after all of `journal`, oldest entry first.
    package static func replay(
        _ journal: [(entry: JournalEntry, time: Timestamp)], of table: SagaTable, operation: String
    ) throws(JournalError) -> SagaMachine {
        var machine = SagaMachine(table, operation: operation)
        for (entry, time) in journal { try machine.apply(entry, at: time) }
        return machine
    }

    /// The outputs of the steps that have succeeded, by step name.
    package var outputs: [String: JSONValue] {
        var outputs: [String: JSONValue] = [:]
        for (policy, progress) in zip(table.steps, steps) { outputs[policy.name] = progress.output }
        return outputs
    }

    /// The node that the saga works on, once a step has placed it.
    package var placedNode: String? {
        for (policy, progress) in zip(table.steps, steps) where policy.places {
            if let node = progress.output?["node"]?.asString { return node }
        }
        return nil
    }

    /// The steps that were given up, with their failures.
    package var warnings: [(step: String, failure: StepFailure)] {
        zip(table.steps, steps).compactMap { policy, progress in
            progress.state == .skipped ? progress.failure.map { (policy.name, $0) } : nil
        }
    }

    /// The nodes that the saga waits for, if it waits for any.
    package var awaitedNodes: [String] {
        guard case .forward = phase, let step = steps.first(where: { $0.state == .failed }) else { return [] }
        return step.failure?.awaitedNodes ?? []
    }

    package mutating func apply(_ entry: JournalEntry, at time: Timestamp) throws(JournalError) {
        switch (entry, phase) {
        case (.started(let deadline, let context), .fresh):
            self.context = context
            phase = .forward(deadline: deadline)
        case (.stepStarted(let step, let attempt, let command), .forward):
            try change(step, from: [.pending, .failed]) { $0.begin(attempt: attempt, command: command) }
        case (.stepSucceeded(let step, let output), .forward):
            try change(step, from: [.running, .failed]) { ($0.state, $0.output) = (.succeeded, output) }
        case (.stepFailed(let step, let failure), .forward):
            try change(step, from: [.running, .failed]) {
                $0.fail(failure, at: time, soleAttempt: $0.attempts == 1 && $0.unanswered == 0)
            }
        case (.stepSkipped(let step), .forward):
            try change(step, from: [.pending, .running, .failed]) { $0.state = .skipped }
        case (.unwindStarted(let cause, let deadline), .forward):
            phase = .unwinding(cause: cause, deadline: deadline)
        case (.undoStarted(let step, let attempt, let command), .unwinding):
            try change(step, from: [.running, .failed, .succeeded, .skipped, .undoFailed]) {
                $0.beginUndo(attempt: attempt, command: command)
            }
        case (.undone(let step), .unwinding):
            try change(step, from: [.undoing, .undoFailed]) { ($0.state, $0.touched) = (.undone, false) }
        case (.undoFailed(let step, let failure), .unwinding):
            try change(step, from: [.undoing, .undoFailed]) { $0.failUndo(failure, at: time) }
        case (.finished(let outcome), .forward), (.finished(let outcome), .unwinding),
            (.finished(let outcome), .fresh):
            phase = .finished(outcome)
        default:
            throw JournalError("\(entry.json.string(orEmpty: "entry")) cannot come while the saga is \(phase.word)")
        }
    }

    private mutating func change(
        _ step: String, from allowed: Set<StepProgress.State>, _ body: (inout StepProgress) -> Void
    ) throws(JournalError) {
        guard let index = table.index(of: step) else {
            throw JournalError("\(table.kind) has no step \"\(step)\"")
        }
        guard allowed.contains(steps[index].state) else {
            throw JournalError("step \"\(step)\" is \(steps[index].state.rawValue)")
        }
        body(&steps[index])
    }
}

extension SagaMachine.Phase {
    fileprivate var word: String {
        switch self {
        case .fresh: "not started"
        case .forward: "going forward"
        case .unwinding: "unwinding"
        case .finished: "finished"
        }
    }
}

extension JSONObject {
    fileprivate func string(orEmpty key: String) -> String {
        if case .string(let value)? = self[key] { value } else { "" }
    }
}
