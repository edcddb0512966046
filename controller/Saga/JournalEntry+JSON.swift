package import WireProtocol
import Model

// The stored form: {"entry": "step_started", …}. Names never change once released; fields may be added.

extension JournalEntry {
    package var json: JSONObject {
        switch self {
        case .started(let deadline, let context):
            entry("started", ["deadline": .integer(deadline.milliseconds), "context": .object(context)])
        case .stepStarted(let step, let attempt, let command):
            entry("step_started", attemptFields(step, attempt, command))
        case .stepSucceeded(let step, let output):
            entry("step_succeeded", ["step": .string(step), "output": output])
        case .stepFailed(let step, let failure):
            entry("step_failed", ["step": .string(step), "failure": .object(failure.json)])
        case .stepSkipped(let step):
            entry("step_skipped", ["step": .string(step)])
        case .unwindStarted(let cause, let deadline):
            entry(
                "unwind_started", ["cause": .object(cause.json), "deadline": .integer(deadline.milliseconds)])
        case .undoStarted(let step, let attempt, let command):
            entry("undo_started", attemptFields(step, attempt, command))
        case .undone(let step):
            entry("undone", ["step": .string(step)])
        case .undoFailed(let step, let failure):
            entry("undo_failed", ["step": .string(step), "failure": .object(failure.json)])
        case .finished(let outcome):
            entry("finished", outcome.fields)
        }
    }

    /// Reads what `json` wrote. Throws for an unknown entry or a missing field.
    package init(json: JSONObject) throws(JournalError) {
        do {
            self = try Self.read(json)
        } catch let error as JournalError {
            throw error
        } catch {
            throw JournalError("\(error)")
        }
    }

    private static func read(_ json: JSONObject) throws -> JournalEntry {
        let name = try json.string("entry")
        switch name {
        case "started":
            return .started(
                deadline: Timestamp(milliseconds: try json.integer("deadline")), context: try json.object("context"))
        case "step_started":
            return .stepStarted(
                step: try json.string("step"), attempt: try attempt(json), command: try json.string("command"))
        case "step_succeeded":
            return .stepSucceeded(step: try json.string("step"), output: json["output"] ?? .null)
        case "step_failed":
            return .stepFailed(step: try json.string("step"), failure: try StepFailure(json: json.object("failure")))
        case "step_skipped":
            return .stepSkipped(step: try json.string("step"))
        case "unwind_started":
            return .unwindStarted(
                cause: try StepFailure(json: json.object("cause")),
                deadline: Timestamp(milliseconds: try json.integer("deadline")))
        case "undo_started":
            return .undoStarted(
                step: try json.string("step"), attempt: try attempt(json), command: try json.string("command"))
        case "undone":
            return .undone(step: try json.string("step"))
        case "undo_failed":
            return .undoFailed(step: try json.string("step"), failure: try StepFailure(json: json.object("failure")))
        case "finished":
            return .finished(try SagaOutcome(fields: json))
        default:
            throw JournalError("there is no entry \"\(name)\"")
        }
    }

    private static func attempt(_ json: JSONObject) throws -> Int {
        guard let attempt = Int(exactly: try json.integer("attempt")), attempt > 0 else {
            throw JournalError("attempt is not a positive number")
        }
        return attempt
    }

    private func entry(_ name: String, _ fields: JSONObject) -> JSONObject {
        var object: JSONObject = ["entry": .string(name)]
        for member in fields.members { object[member.key] = member.value }
        return object
    }

    private func attemptFields(_ step: String, _ attempt: Int, _ command: String) -> JSONObject {
        ["step": .string(step), "attempt": .integer(Int64(attempt)), "command": .string(command)]
    }
}

extension StepFailure {
    package var json: JSONObject {
        var object: JSONObject = [
            "kind": .string(kind.rawValue), "code": .string(code), "message": .string(message),
            "effect": .string(effect.rawValue),
        ]
        if let resource { object["resource"] = .string(resource) }
        if !awaitedNodes.isEmpty { object["awaits"] = .array(awaitedNodes.map { .string($0) }) }
        return object
    }

    package init(json: JSONObject) throws {
        guard let kind = Kind(rawValue: try json.string("kind")) else { throw JournalError("unknown failure kind") }
        guard let effect = Effect(rawValue: try json.string("effect")) else { throw JournalError("unknown effect") }
        self.init(
            kind, code: try json.string("code"), message: try json.string("message"),
            resource: try json.optionalString("resource"), effect: effect,
            awaitedNodes: try json.optionalStrings("awaits") ?? [])
    }
}

extension SagaOutcome {
    fileprivate var fields: JSONObject {
        switch self {
        case .succeeded: ["outcome": "succeeded"]
        case .failed(let cause): ["outcome": "failed", "cause": .object(cause.json)]
        case .cancelled: ["outcome": "cancelled"]
        case .needsAttention(let cause, let leftovers):
            [
                "outcome": "needs_attention", "cause": .object(cause.json),
                "leftovers": .array(
                    leftovers.map { .object(["step": .string($0.step), "reason": .string($0.reason)]) }),
            ]
        }
    }

    fileprivate init(fields: JSONObject) throws {
        switch try fields.string("outcome") {
        case "succeeded": self = .succeeded
        case "cancelled": self = .cancelled
        case "failed": self = .failed(try StepFailure(json: fields.object("cause")))
        case "needs_attention":
            var leftovers: [Leftover] = []
            for case .object(let object) in try fields.array("leftovers") {
                leftovers.append(Leftover(step: try object.string("step"), reason: try object.string("reason")))
            }
            self = .needsAttention(try StepFailure(json: fields.object("cause")), leftovers: leftovers)
        case let other: throw JournalError("there is no outcome \"\(other)\"")
        }
    }
}
