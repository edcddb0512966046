import APIModels
import AgentCommands
import Model
import Store
import WireProtocol

/// The steps of an operation, folded from its journal over the table of its kind. Reads what it knows of an entry and
/// skips the rest, so that a newer journal is no obstacle to looking at it.
struct StepHistory {
    /// In the order of the table; steps that it does not know come last.
    private(set) var steps: [OperationStep] = []
    /// The last entry taken.
    private(set) var seq: Int64 = 0

    /// - Parameter table: of the operation. One that this version does not know has the steps of its journal alone.
    init(_ table: [StepOutline], _ journal: [JournalRecord] = []) {
        steps = table.enumerated().map { index, step in
            OperationStep(pending: step.name, auxiliary: step.isAuxiliary, position: index + 1, total: table.count)
        }
        for record in journal { _ = take(record) }
    }

    /// Takes the next entry; the step that it changed, if any.
    mutating func take(_ record: JournalRecord) -> OperationStep? {
        seq = record.seq
        let entry = record.entry
        guard let kind = entry["entry"]?.asString, let name = entry["step"]?.asString else { return nil }
        let place = place(of: name)
        var step = steps[place]
        switch kind {
        case "step_started":
            step.state = "running"
            step.attempts = Int(entry["attempt"]?.asInteger ?? Int64(step.attempts + 1))
            step.startedAt = step.startedAt ?? record.time
            (step.finishedAt, step.error) = (nil, nil)
        case "step_succeeded": step.end("done", record.time)
        // Its controller stopped; the step goes on.
        case "step_failed" where Self.isOfAStop(entry), "undo_failed" where Self.isOfAStop(entry): return nil
        case "step_failed": step.end("failed", record.time, OperationError(entry["failure"]))
        case "step_skipped": step.end("skipped", record.time, step.error)
        case "undo_started": (step.state, step.finishedAt) = ("undoing", nil)
        case "undone": step.end("undone", record.time, step.error)
        case "undo_failed": step.end("undo_failed", record.time, OperationError(entry["failure"]))
        default: return nil
        }
        steps[place] = step
        return step
    }

    private static func isOfAStop(_ entry: JSONValue) -> Bool {
        entry["failure"]?["code"]?.asString == AgentError.abandonedCode
    }

    private mutating func place(of name: String) -> Int {
        if let place = steps.firstIndex(where: { $0.name == name }) { return place }
        steps.append(OperationStep(pending: name, auxiliary: false, position: steps.count + 1, total: 0))
        for index in steps.indices { steps[index].total = steps.count }
        return steps.count - 1
    }
}

extension OperationStep {
    fileprivate init(pending name: String, auxiliary: Bool, position: Int, total: Int) {
        self.init(
            name: name, state: "pending", attempts: 0, auxiliary: auxiliary, position: position, total: total,
            startedAt: nil, finishedAt: nil, error: nil)
    }

    fileprivate mutating func end(_ state: String, _ time: Timestamp, _ error: OperationError? = nil) {
        self.state = state
        finishedAt = time
        self.error = error
    }
}

extension OperationError {
    /// A step's failure as the journal has it.
    fileprivate init?(_ failure: JSONValue?) {
        guard let failure, let code = failure["code"]?.asString, let message = failure["message"]?.asString else {
            return nil
        }
        self.init(
            code: code, message: message, retryable: failure["kind"]?.asString != "final",
            resource: failure["resource"]?.asString)
    }
}
