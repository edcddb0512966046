package import WireProtocol

/// What a step hands on: stored in the journal as JSON and read back after a crash.
package protocol StepOutput: Sendable {
    var json: JSONValue { get }
    /// Throws a sentence that names the field when `json` is not of this shape.
    init(json: JSONValue) throws
}

/// Nothing to hand on.
package struct NoOutput: StepOutput, Hashable {
    package init() {}
    package init(json: JSONValue) {}
    package var json: JSONValue { .null }
}

/// Something that may be absent: `null`.
extension Optional: StepOutput where Wrapped: StepOutput {
    package init(json: JSONValue) throws {
        self = json.isNull ? nil : try Wrapped(json: json)
    }

    package var json: JSONValue { self?.json ?? .null }
}

/// The name of a step together with the type of its output.
package struct StepKey<Output: StepOutput>: Sendable {
    package let name: String
    package init(_ name: String) { self.name = name }
}

/// One attempt at a step or at its undo.
package struct StepCall: Sendable {
    package let operation: String
    package let step: String
    /// The id of the command to send. A step that sends several derives the others from it by a suffix.
    package let command: String
    package let attempt: Int
    package let unwinding: Bool
    package let deadline: Duration
    /// The facts frozen when the saga started.
    package let context: JSONObject
    package let outputs: [String: JSONValue]

    package init(
        operation: String, step: String, command: String, attempt: Int, unwinding: Bool, deadline: Duration,
        context: JSONObject, outputs: [String: JSONValue]
    ) {
        self.operation = operation
        self.step = step
        self.command = command
        self.attempt = attempt
        self.unwinding = unwinding
        self.deadline = deadline
        self.context = context
        self.outputs = outputs
    }

    /// The output of an earlier step.
    package func output<Output>(_ key: StepKey<Output>) throws(StepFailure) -> Output {
        guard let json = outputs[key.name] else {
            throw StepFailure(
                .final, code: "internal", message: "step \(step) needs the output of step \(key.name)", effect: .none)
        }
        do {
            return try Output(json: json)
        } catch {
            throw StepFailure(
                .final, code: "internal", message: "the output of step \(key.name) cannot be read: \(error)",
                effect: .none)
        }
    }
}

/// One row of a saga's table: its policy, how it is done and how it is undone. `Scope` is what the step may touch.
package struct SagaStep<Scope: Sendable>: Sendable {
    package typealias Act = @Sendable (Scope, StepCall) async throws(StepFailure) -> JSONValue
    package typealias Undo = @Sendable (Scope, StepCall) async throws(StepFailure) -> Void

    package let policy: StepPolicy
    package let act: Act
    package let undo: Undo?

    /// The undo must be ensure-style: it also runs when the step failed half-way or its outcome is unknown.
    package init<Output: StepOutput>(
        _ key: StepKey<Output>, weight: StepWeight = .core, retry: RetryPolicy = .standard,
        deadline: Duration = .seconds(120), onInterrupted: InterruptedPolicy = .retry, places: Bool = false,
        act: @escaping @Sendable (Scope, StepCall) async throws(StepFailure) -> Output, undo: Undo? = nil
    ) {
        policy = StepPolicy(
            name: key.name, weight: weight, retry: retry, deadline: deadline, onInterrupted: onInterrupted,
            undoable: undo != nil, places: places)
        self.act = { scope, call throws(StepFailure) in try await act(scope, call).json }
        self.undo = undo
    }
}

/// A saga: what the machine sees of it, and the steps that the driver of the machine calls.
package struct SagaDefinition<Scope: Sendable>: Sendable {
    package let table: SagaTable
    package let steps: [SagaStep<Scope>]

    package init(
        kind: String, revision: Int64 = 1, direction: SagaDirection = .unwind, deadline: Duration = .seconds(1800),
        unwindAllowance: Duration = .seconds(600), steps: [SagaStep<Scope>]
    ) {
        self.steps = steps
        table = SagaTable(
            kind: kind, revision: revision, steps: steps.map(\.policy), direction: direction, deadline: deadline,
            unwindAllowance: unwindAllowance)
    }
}
