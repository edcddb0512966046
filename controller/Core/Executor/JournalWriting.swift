import Model
import Saga
import Store
import WireProtocol

/// One journal entry with all that changes together with it.
struct JournalWriting: Sendable {
    var operation: String
    var work: OperationWork
    var entry: JournalEntry
    var after: Int64
    var time: Timestamp
    var context: JSONObject
    var outputs: [String: JSONValue]
    var warnings: [(step: String, failure: StepFailure)]
    /// Of the step that comes last in the table.
    var lastFailure: StepFailure?
    /// The node that this entry puts the operation on, and whether the operation has a place there now. One that has none
    /// waits for it in the queue.
    var placed: (node: String, isAdmitted: Bool)?
}

extension Store {
    /// Appends the entry and moves operation and service along with it, in one transaction. Returns the entry that was
    /// written: a start that is not allowed becomes an end. Nil when the operation was cancelled before it began.
    func write(_ writing: JournalWriting) throws(StoreError) -> JournalEntry? {
        var entry = writing.entry
        if case .started(let deadline, _) = entry {
            guard let operation = try claimOperation(writing.operation, at: writing.time) else { return nil }
            entry = try writing.start(operation, in: self, deadline: deadline)
        }
        if case .finished(let outcome) = entry {
            let judged = writing.work.judge(outcome, writing.lastFailure)
            entry = .finished(judged)
            try end(writing, judged)
        }
        if let placed = writing.placed {
            try updateOperation(writing.operation) {
                $0.node = placed.node
                if !placed.isAdmitted, $0.state == .running { $0.state = .queued }
            }
        }
        try appendJournal(writing.operation, after: writing.after, [.object(entry.json)], at: writing.time)
        try appendLog(writing.operation, [entry.logLine(at: writing.time)])
        return entry
    }

    private func end(_ writing: JournalWriting, _ outcome: SagaOutcome) throws(StoreError) {
        guard let operation = try operation(writing.operation) else { return }
        try updateOperation(writing.operation) {
            $0.state = outcome.state
            $0.finishedAt = writing.time
            $0.error = outcome.failure
            // What steps have noted there, such as how the node was chosen, stays.
            $0.result = .object(
                ($0.result?.asObject ?? [:]).merged(with: outcome.result(warnings: writing.warnings)))
            // Nobody needs them any more.
            $0.parameters[OperationType.secretsKey] = nil
        }
        let ending = OperationEnd(
            outcome: outcome, context: writing.context, outputs: writing.outputs, time: writing.time)
        try writing.work.end(self, operation, ending)
        try announce(endOf: writing.operation, at: writing.time)
    }

    /// Ends an operation whose journal cannot be used. Nothing is undone: nobody knows what was done.
    func abandon(
        _ operation: OperationRecord, because problem: String, _ catalogue: Catalogue, at time: Timestamp
    ) throws(StoreError) {
        try updateOperation(operation.id) {
            $0.state = .needsAttention
            $0.finishedAt = time
            $0.error = OperationFailure(code: "unusable", message: problem, retryable: false)
        }
        try appendLog(operation.id, [OperationLogLine(time: time, level: "error", text: problem)])
        guard let id = operation.service, operation.startedAt != nil, let service = try service(id),
            let verb = catalogue.verb(operation.kind, of: service)?.verb
        else { return }
        try updateService(id, at: time) { $0.state = verb.stuck(service.state) }
        try announce(endOf: operation.id, at: time)
    }
}

extension JournalWriting {
    /// The entry that the operation begins with: one that is not allowed ends at once.
    fileprivate func start(
        _ operation: OperationRecord, in store: isolated Store, deadline: Timestamp
    ) throws(StoreError) -> JournalEntry {
        switch try work.begin(store, operation, time) {
        case .context(var context):
            context[SagaTable.revisionKey] = .integer(work.saga.table.revision)
            return .started(deadline: deadline, context: context)
        case .refused(let failure): return .finished(.failed(failure))
        }
    }
}
