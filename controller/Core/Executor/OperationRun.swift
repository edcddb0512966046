import AgentCommands
import Model
import Placement
import Saga
import Store
import WireProtocol

/// One operation on its way, from where its journal ends to its end.
///
/// The machine decides, the run does: it stores each entry before it acts on it. Cancelling its task stops it between
/// two entries; commands that are under way go on at their agents, and another run takes the operation up later.
struct OperationRun {
    let work: OperationWork
    let dependencies: Dependencies
    let operation: OperationRecord
    let direction: SagaDirection
    /// Asks for one of the places that a node has for operations.
    let admit: @Sendable (_ node: String) async -> Bool
    private let signals: RunSignals
    /// Waits and deadlines are lengths of time: a wall clock that is set must not make them longer or shorter.
    private let clock: SteadyClock
    private var inbox: AsyncStream<RunSignal>.Iterator
    private var machine: SagaMachine
    private var seq: Int64
    private var cancelled: Bool
    private var attempts = 0
    /// As the books have it, once it has begun.
    private var state = OperationRecord.State.running
    /// When the attempt at a step began that this run has begun.
    private var attemptBegan: Timestamp?
    /// Nodes that were there when the run last began to wait.
    private var present: Set<String> = []

    init(
        _ work: OperationWork, dependencies: Dependencies, operation: OperationRecord, journal: [JournalRecord],
        signals: RunSignals, admit: @escaping @Sendable (String) async -> Bool
    ) throws(JournalError) {
        self.work = work
        self.dependencies = dependencies
        self.operation = operation
        self.admit = admit
        self.signals = signals
        var table = work.saga.table
        if Restoration.concerns(operation) { table.direction = .forward }
        direction = table.direction
        clock = SteadyClock(dependencies.clock)
        inbox = signals.stream.makeAsyncIterator()
        var entries: [(entry: JournalEntry, time: Timestamp)] = []
        for record in journal {
            guard let json = record.entry.asObject else { throw JournalError("entry \(record.seq) is not an object") }
            entries.append((try JournalEntry(json: json), record.time))
        }
        machine = try SagaMachine.replay(entries, of: table, operation: operation.id)
        seq = journal.last?.seq ?? 0
        if !journal.isEmpty { state = operation.state }
        cancelled = operation.cancelRequested
    }

    /// Throws when the store cannot take an entry; nothing is lost then, and the run may be made again.
    mutating func run() async throws -> RunEnding {
        while !Task.isCancelled {
            let decision = machine.next(now: clock.now(), cancelled: cancelled, present: present)
            if decision.isWork, try await !takePlace() { return .stopped }
            switch decision {
            case .record(let entry):
                guard try await record(entry) else { return .stopped }
            case .perform(let step, let attempt, let command):
                let policy = work.saga.table.steps[step]
                guard let result = await attemptStep(step, attempt, command, unwinding: false) else { return .stopped }
                switch result {
                case .success(let output):
                    let node = policy.places ? output["node"]?.asString : nil
                    guard try await record(.stepSucceeded(step: policy.name, output: output), on: node) else {
                        return .stopped
                    }
                case .failure(let failure): _ = try await record(.stepFailed(step: policy.name, failure: failure))
                }
            case .undo(let step, let attempt, let command):
                let name = work.saga.table.steps[step].name
                guard let result = await attemptStep(step, attempt, command, unwinding: true) else { return .stopped }
                switch result {
                case .success: _ = try await record(.undone(step: name))
                case .failure(let failure): _ = try await record(.undoFailed(step: name, failure: failure))
                }
            case .wait(let until):
                guard await pause(until) else { return .stopped }
            case .done:
                return .finished
            }
        }
        return .stopped
    }

    /// False when the operation is not ours to run any more: it was cancelled before it began, or waits for a place.
    /// - Parameter node: the one that the entry puts the operation on.
    private mutating func record(_ entry: JournalEntry, on node: String? = nil) async throws -> Bool {
        let time = clock.now()
        var placed: (node: String, isAdmitted: Bool)?
        if let node { placed = (node, await admit(node)) }
        let writing = JournalWriting(
            operation: operation.id, work: work, entry: entry, after: seq, time: time, context: machine.context,
            outputs: machine.outputs, warnings: machine.warnings,
            lastFailure: machine.steps.last?.failure, placed: placed)
        guard
            let written = try await dependencies.store.atomically({ store throws(StoreError) in try store.write(writing)
            })
        else { return false }
        seq += 1
        measure(written, at: time)
        try machine.apply(written, at: time)
        return placed?.isAdmitted ?? true
    }
}

// MARK: measures

extension OperationRun {
    /// An attempt that an earlier run has begun is not measured: nobody knows how long the controller was away.
    private mutating func measure(_ entry: JournalEntry, at time: Timestamp) {
        switch entry {
        case .stepStarted: attemptBegan = time
        case .stepSucceeded(let step, _): measure(step, "done", time)
        case .stepFailed(let step, let failure) where !failure.isOfAStop: measure(step, "failed", time)
        case .finished(let outcome):
            let series = OperationMeasures.Series(
                product: work.product, kind: operation.kind, step: nil, outcome: outcome.state.rawValue)
            dependencies.measures.note(series, took: time - operation.createdAt)
        default: break
        }
    }

    private mutating func measure(_ step: String, _ outcome: String, _ time: Timestamp) {
        guard let began = attemptBegan else { return }
        attemptBegan = nil
        let series = OperationMeasures.Series(
            product: work.product, kind: operation.kind, step: step, outcome: outcome)
        dependencies.measures.note(series, took: time - began)
    }
}

// MARK: waiting

extension OperationRun {
    /// Does the step, or undoes it, with a limit on its time. Nil when the run is to stop.
    private mutating func attemptStep(
        _ index: Int, _ count: Int, _ command: String, unwinding: Bool
    ) async -> Result<JSONValue, StepFailure>? {
        // Who was there before this attempt may be gone after it.
        present = []
        attempts += 1
        let (number, step, signals) = (attempts, work.saga.steps[index], signals)
        let call = StepCall(
            operation: operation.id, step: step.policy.name, command: command, attempt: count,
            unwinding: unwinding, deadline: step.policy.deadline, context: machine.context, outputs: machine.outputs)
        let attempt = Task { signals.send(.answer(number, await step.outcome(call))) }
        let watch = Task { [dependencies] in
            await dependencies.clock.timer(step.policy.deadline + Self.margin)
            if !Task.isCancelled { signals.send(.overdue(number)) }
        }
        defer {
            attempt.cancel()
            watch.cancel()
        }
        if cancelled, !unwinding { await callOff(command) }
        while let signal = await inbox.next() {
            switch signal {
            case .answer(number, let result): return result
            case .overdue(number): return .failure(.overdue(call))
            case .cancel:
                cancelled = true
                // Each time: the first word may have come before the command was on its way.
                if !unwinding { await callOff(command) }
            default: continue
            }
        }
        return nil
    }

    /// No retry waits longer; a time of a life before this one may be an hour ahead when the clock was set back.
    private static var longestWait: Duration { .seconds(300) }

    /// What an agent gets over its deadline: the time to stop a process and to say so.
    private static var margin: Duration { .seconds(30) }

    private func callOff(_ command: String) async {
        guard direction == .unwind else { return }
        for id in [command, AgentCommand.renewed(command)] {
            await dependencies.agents.cancel(id, "the operation was called off")
        }
    }

    /// A place on the node that the operation works on, if it works on one. Without it the operation is laid down: it
    /// waits in the queue, and only what has a place is said to run. False when the run is to stop.
    private mutating func takePlace() async throws -> Bool {
        guard let node = machine.placedNode ?? operation.node else { return true }
        let isAdmitted = await admit(node)
        let wanted: OperationRecord.State = isAdmitted ? .running : .queued
        guard wanted != state else { return isAdmitted }
        try await dependencies.store.updateOperation(operation.id) {
            if !$0.state.isFinished { $0.state = wanted }
        }
        state = wanted
        return isAdmitted
    }

    /// False when the run is to stop. A node that is waited for ends the wait.
    private mutating func pause(_ until: Timestamp) async -> Bool {
        let awaited = machine.awaitedNodes
        if !awaited.isEmpty {
            present = await dependencies.agents.connected()
            if !present.isDisjoint(with: awaited) { return true }
        }
        let (port, signals) = (dependencies.clock, signals)
        let wait = min(until - clock.now(), Self.longestWait)
        let alarm = Task {
            await port.pause(wait)
            // One that was called off because something else came must not end the next wait at once.
            if !Task.isCancelled { signals.send(.wake) }
        }
        defer { alarm.cancel() }
        guard let signal = await inbox.next() else { return false }
        if case .cancel = signal { cancelled = true }
        return true
    }
}

extension SagaDecision {
    /// It does something on the node, or is about to.
    fileprivate var isWork: Bool {
        switch self {
        case .perform, .undo, .record(.stepStarted), .record(.undoStarted): true
        default: false
        }
    }
}

extension BoundStep {
    fileprivate func outcome(_ call: StepCall) async -> Result<JSONValue, StepFailure> {
        do throws(StepFailure) {
            guard call.unwinding else { return .success(try await act(call)) }
            try await undo(call)
            return .success(.null)
        } catch {
            return .failure(error)
        }
    }
}

extension StepFailure {
    fileprivate static func overdue(_ call: StepCall) -> StepFailure {
        StepFailure(
            .unanswered, code: "no_answer", message: "step \(call.step) gave no answer in time; its outcome is unknown")
    }
}
