/// What the failure of a step means for its saga.
package enum StepWeight: String, Sendable, Hashable {
    /// Its failure ends the saga: the steps before it are undone in reverse.
    case core
    /// Its failure is a warning; the saga goes on.
    case auxiliary
}

/// What to do when an agent says that a command was cut off in the middle.
package enum InterruptedPolicy: String, Sendable, Hashable {
    /// The step is ensure-style: it is tried again under a new command id.
    case retry
    /// Doing it twice could do harm: the step fails.
    case fail
}

/// How often a step is tried and how long it waits in between. Waits double from `first` up to `most`.
package struct RetryPolicy: Sendable, Hashable {
    package var attempts: Int
    package var first: Duration
    package var most: Duration

    /// Three attempts, one second apart at first.
    package static let standard = RetryPolicy(attempts: 3, first: .seconds(1), most: .seconds(60))

    package init(attempts: Int, first: Duration, most: Duration) {
        self.attempts = max(1, attempts)
        self.first = first
        self.most = most
    }

    /// The wait after the failure number `failures` (1 for the first).
    package func wait(after failures: Int) -> Duration {
        let doublings = min(max(0, failures - 1), 20)
        return min(most, first * (1 << doublings))
    }
}

/// The fixed facts of one step: all that the machine needs to know about it.
package struct StepPolicy: Sendable, Hashable {
    /// Unique in its saga; journals name steps by it.
    package var name: String
    package var weight: StepWeight
    package var retry: RetryPolicy
    /// How long one attempt may take.
    package var deadline: Duration
    package var onInterrupted: InterruptedPolicy
    /// Whether the step has an undo. A step without one leaves nothing behind.
    package var undoable: Bool
    /// Its output names in `node` the node that the operation works on from there on, and holds a place of.
    package var places: Bool

    package init(
        name: String, weight: StepWeight = .core, retry: RetryPolicy = .standard, deadline: Duration = .seconds(120),
        onInterrupted: InterruptedPolicy = .retry, undoable: Bool,
        places: Bool = false
    ) {
        self.name = name
        self.weight = weight
        self.retry = retry
        self.deadline = deadline
        self.onInterrupted = onInterrupted
        self.undoable = undoable
        self.places = places
    }
}
