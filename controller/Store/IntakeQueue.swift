/// Reports that wait for the next group commit.
struct IntakeQueue {
    struct Waiting {
        let intake: Intake
        let answer: CheckedContinuation<Result<Positions, StoreError>, Never>
    }

    /// How long reports wait for others.
    let delay: Duration
    /// How far ahead of the controller's clock a node's may be.
    let tolerance: Duration
    private var waiting: [Waiting] = []
    private var values = 0
    private var isScheduled = false
    /// So many values are stored at once, without waiting for more.
    private static let valueLimit = 200_000

    init(delay: Duration, tolerance: Duration) { (self.delay, self.tolerance) = (delay, tolerance) }

    var isFull: Bool { values >= Self.valueLimit }

    mutating func add(_ intake: Intake, _ answer: CheckedContinuation<Result<Positions, StoreError>, Never>) {
        waiting.append(Waiting(intake: intake, answer: answer))
        values += intake.values
    }

    /// Whether somebody must see to a commit after the delay, and then call `pass`. True only once until then.
    mutating func needsCommit() -> Bool {
        guard !waiting.isEmpty, !isScheduled else { return false }
        isScheduled = true
        return true
    }

    /// The delay is over.
    mutating func pass() { isScheduled = false }

    /// Takes out what waits, or only what is of one node.
    mutating func take(of node: String?) -> [Waiting] {
        let taken = node == nil ? waiting : waiting.filter { $0.intake.node == node }
        put(node == nil ? [] : waiting.filter { $0.intake.node != node })
        return taken
    }

    /// Gives back what could not be stored yet, before all that has come since.
    mutating func giveBack(_ items: ArraySlice<Waiting>) { put(Array(items) + waiting) }

    private mutating func put(_ items: [Waiting]) {
        waiting = items
        values = items.reduce(0) { $0 + $1.intake.values }
    }
}
