import Model
import Saga
import Store
import WireProtocol

/// One journal entry with all that changes together with it.
struct JournalWriting: Sendable {
    var operation: String
    /// Revision of the table that it runs under.
    var revision: Int64
    var subject: RunSubject
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

    /// The state that the service came from; nil while the operation has not begun.
    var from: ServiceRecord.State? {
        context["from"]?.asString.flatMap(ServiceRecord.State.init(rawValue:))
    }
}

extension JournalWriting {
    /// A command has no undo: where nobody knows how far it came, to say that it failed or was cancelled would be a guess.
    fileprivate func honest(_ outcome: SagaOutcome) -> SagaOutcome {
        guard case .command(let command) = subject, command.mutates, let failure = lastFailure,
            failure.kind == .interrupted || failure.kind == .unanswered, failure.effect == .possible
        else { return outcome }
        switch outcome {
        case .failed(let cause): return .needsAttention(cause, leftovers: [])
        case .cancelled: return .needsAttention(failure, leftovers: [])
        default: return outcome
        }
    }
}

extension Store {
    /// Appends the entry and moves operation and service along with it, in one transaction. Returns the entry that was
    /// written: a start that is not allowed becomes an end. Nil when the operation was cancelled before it began.
    func write(_ writing: JournalWriting) throws(StoreError) -> JournalEntry? {
        var entry = writing.entry
        if case .started(let deadline, _) = entry {
            guard let claimed = try begin(writing, deadline: deadline) else { return nil }
            entry = claimed.noting(writing.revision)
        }
        if case .finished(let outcome) = entry {
            let honest = writing.honest(outcome)
            entry = .finished(honest)
            try end(writing, honest)
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

    private func begin(_ writing: JournalWriting, deadline: Timestamp) throws(StoreError) -> JournalEntry? {
        guard let operation = try claimOperation(writing.operation, at: writing.time) else { return nil }
        switch writing.subject {
        case .service(let id, let kind):
            return try begin(operation, on: id, kind, at: writing.time, deadline: deadline)
        case .command(let command):
            return .started(deadline: deadline, context: try context(of: command))
        case .transfer(let transfer):
            return .started(deadline: deadline, context: try context(of: transfer.receiver))
        }
    }

    private func begin(
        _ operation: OperationRecord, on id: String, _ kind: OperationKind, at time: Timestamp, deadline: Timestamp
    ) throws(StoreError) -> JournalEntry {
        guard let service = try service(id) else { throw .notFound(kind: "service", id: id) }
        guard kind.from.contains(service.state) else {
            let error = CoreError.notAllowed(kind, on: service, in: service.state)
            return .finished(
                .failed(StepFailure(.final, code: "not_allowed_in_state", message: "\(error)", effect: .none)))
        }
        try updateService(service.id, at: time) {
            $0.state = kind.during(service.state)
            $0.generation = operation.position
        }
        // One that was ordered before the store was restored stays as old as it is.
        let current = try generationBase()
        let base = operation.parameters[Restoration.baseKey]?.asInteger ?? current
        let from = JSONValue.string(service.state.rawValue)
        try updateOperation(operation.id) { $0.parameters["from"] = from }
        return .started(deadline: deadline, context: ["from": from, Restoration.baseKey: .integer(base)])
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
            $0.parameters[NodeCommand.secretsKey] = nil
        }
        guard case .service(let id, let kind) = writing.subject, let from = writing.from else { return }
        try updateService(id, at: writing.time) { service in
            switch outcome {
            case .succeeded:
                service.state = kind.succeeded(from)
                kind.saga.conclude(&service, operation, outputs: writing.outputs)
            case .failed, .cancelled: service.state = kind.undone(from)
            case .needsAttention: service.state = kind.stuck(from)
            }
        }
    }

    /// Ends an operation whose journal cannot be used. Nothing is undone: nobody knows what was done.
    func abandon(_ operation: OperationRecord, because problem: String, at time: Timestamp) throws(StoreError) {
        try updateOperation(operation.id) {
            $0.state = .needsAttention
            $0.finishedAt = time
            $0.error = OperationFailure(code: "unusable", message: problem, retryable: false)
        }
        try appendLog(operation.id, [OperationLogLine(time: time, level: "error", text: problem)])
        guard let id = operation.service, let kind = OperationKind(rawValue: operation.kind),
            let service = try service(id), operation.startedAt != nil
        else { return }
        try updateService(id, at: time) { $0.state = kind.stuck(service.state) }
    }
}

extension JournalEntry {
    fileprivate func noting(_ revision: Int64) -> JournalEntry {
        guard case .started(let deadline, var context) = self else { return self }
        context[SagaTable.revisionKey] = .integer(revision)
        return .started(deadline: deadline, context: context)
    }
}
