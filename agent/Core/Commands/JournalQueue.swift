import Model

/// What is to get into the journal, in the order in which it happened: a burst of commands costs one sync.
struct JournalQueue {
    private static let batchLimit = 256

    private var steps: [JournalStep] = []
    private var isWriting = false
    /// Results that the controller has stored, which the disk could not note.
    private var owed: [String: Timestamp] = [:]

    var isIdle: Bool { steps.isEmpty && !isWriting }

    /// Whether somebody must begin to write. Who does takes batches until there are none.
    mutating func add(_ step: JournalStep) -> Bool {
        steps.append(step)
        defer { isWriting = true }
        return !isWriting
    }

    /// What has come together, for one transaction; nil when nothing is left, and the writing is over.
    mutating func next() -> [JournalStep]? {
        guard !steps.isEmpty else {
            isWriting = false
            return nil
        }
        let batch = Array(steps.prefix(Self.batchLimit))
        steps.removeFirst(batch.count)
        return batch
    }

    /// An acknowledgement that did not get on the disk. Whether it is the first, so that somebody must try again.
    mutating func owe(_ id: String, at time: Timestamp) -> Bool {
        defer { owed[id] = time }
        return owed.isEmpty
    }

    /// The acknowledgements that are to be tried again.
    mutating func takeOwed() -> [JournalStep] {
        defer { owed = [:] }
        return owed.sorted { $0.key < $1.key }.map { .acknowledge(id: $0.key, time: $0.value) }
    }
}
