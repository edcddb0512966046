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
    /// Grows with each change of the steps: an operation that has begun goes on under the table that it began with.
    package var revision: Int64
    package var steps: [StepPolicy]
    package var direction: SagaDirection
    /// From the start of the operation until it is given up.
    package var deadline: Duration
    /// From the start of the unwinding until that is given up.
    package var unwindAllowance: Duration

    package init(
        kind: String, revision: Int64 = 1, steps: [StepPolicy], direction: SagaDirection = .unwind, deadline: Duration,
        unwindAllowance: Duration
    ) {
        self.kind = kind
        self.revision = revision
        self.steps = steps
        self.direction = direction
        self.deadline = deadline
        self.unwindAllowance = unwindAllowance
    }

    /// Where the context of a saga's start holds the revision; journals of before it was noted are of revision 1.
    package static let revisionKey = "table_revision"

    package func index(of step: String) -> Int? {
        steps.firstIndex { $0.name == step }
    }
}
