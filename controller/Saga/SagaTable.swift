/// Where a saga goes when a core step fails for good.
package enum SagaDirection: String, Sendable, Hashable {
    /// Back: the steps done so far are undone in reverse.
    case unwind
    /// Only forward (a removal): it stops with `needs attention` and is asked for again.
    case forward
}

/// The pure side of a saga: its steps in order and its time limits.
package struct SagaTable: Sendable, Hashable {
    package var kind: String
    package var steps: [StepPolicy]
    package var direction: SagaDirection
    /// From the start of the operation until it is given up.
    package var deadline: Duration
    /// From the start of the unwinding until that is given up.
    package var unwindAllowance: Duration

    package init(
        kind: String, steps: [StepPolicy], direction: SagaDirection = .unwind, deadline: Duration,
        unwindAllowance: Duration
    ) {
        self.kind = kind
        self.steps = steps
        self.direction = direction
        self.deadline = deadline
        self.unwindAllowance = unwindAllowance
    }

    package func index(of step: String) -> Int? {
        steps.firstIndex { $0.name == step }
    }
}
