import Metering
import Model

/// Reports that wait for the next group commit.
struct IntakeQueue {
    struct Waiting {
        let intake: Intake
        let answer: CheckedContinuation<Result<Positions, StoreError>, Never>
    }

    var waiting: [Waiting] = []
    var isScheduled = false
    /// So many values are stored at once, without waiting for more.
    static let valueLimit = 200_000
    var values = 0

    mutating func add(_ item: Waiting) {
        waiting.append(item)
        values += item.intake.samples.reduce(0) { $0 + $1.values.count }
    }

    mutating func take() -> [Waiting] {
        defer { (waiting, values) = ([], 0) }
        return waiting
    }
}

extension Store {
    /// Stores what a node sent and returns what may be acknowledged. Waits a moment for reports of other nodes, so that
    /// one commit serves all. A bad report fails alone (`invalid`, `notFound` for an unknown series set).
    package func take(_ intake: Intake) async throws(StoreError) -> Positions {
        try Self.check(intake)
        let result = await withCheckedContinuation { answer in
            intakeQueue.add(IntakeQueue.Waiting(intake: intake, answer: answer))
            if intakeQueue.values >= IntakeQueue.valueLimit { commitIntake() } else { scheduleIntake() }
        }
        return try result.get()
    }

    private func scheduleIntake() {
        guard !intakeQueue.isScheduled else { return }
        intakeQueue.isScheduled = true
        Task {
            // A cancelled sleep only means an earlier commit.
            try? await Task.sleep(for: groupCommit)
            intakeQueue.isScheduled = false
            commitIntake()
        }
    }

    func commitIntake() {
        let items = intakeQueue.take()
        guard !items.isEmpty else { return }
        let results: [Result<Positions, StoreError>]
        do throws(StoreError) {
            results = try transaction { () throws(StoreError) in
                var results: [Result<Positions, StoreError>] = []
                for item in items { results.append(try storeAlone(item.intake)) }
                try writeLedgers()
                return results
            }
        } catch {
            forgetLedgers()
            results = items.map { _ in .failure(error) }
        }
        for (item, result) in zip(items, results) { item.answer.resume(returning: result) }
    }

    /// One node's fault must not undo the others' data; the store's own trouble ends them all.
    private func storeAlone(_ intake: Intake) throws(StoreError) -> Result<Positions, StoreError> {
        let before = try ledgers(of: intake.node)
        do throws(StoreError) {
            return .success(try transaction { () throws(StoreError) in try store(intake) })
        } catch {
            restore(before)
            for set in intake.series { seriesNumbers[SeriesKey(node: intake.node, set: set.set)] = nil }
            switch error {
            case .invalid, .notFound, .conflict: return .failure(error)
            default: throw error
            }
        }
    }

    private func store(_ intake: Intake) throws(StoreError) -> Positions {
        if let journal = intake.journal, try agentJournal(of: intake.node) != journal {
            throw .invalid("\(intake.node) has another journal by now")
        }
        for set in intake.series { try register(set, of: intake.node) }
        for row in intake.samples where try isNew(row.seq, intake.node, .metrics) { try insert(row, of: intake.node) }
        for report in intake.usage where try isNew(report.seq, intake.node, .usage) {
            try count(report, of: intake.node)
        }
        for event in intake.events where try isNew(event.seq, intake.node, .events) {
            try insert(event, of: intake.node)
        }
        for gap in intake.gaps { try insert(gap, of: intake.node) }
        return try positions(node: intake.node)
    }

    private static func check(_ intake: Intake) throws(StoreError) {
        let times =
            intake.samples.map(\.time) + intake.usage.map(\.time) + intake.events.map(\.time)
            + intake.gaps.flatMap { [$0.from, $0.to] }
        // Up to the year 9999: arithmetic on later times could overflow.
        guard times.allSatisfy({ (0...253_402_300_799_999).contains($0.milliseconds) }) else {
            throw .invalid("\(intake.node) sent a time that cannot be")
        }
    }
}
