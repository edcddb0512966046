import Metering
import Model
import WireProtocol

extension Store {
    /// Stores what a node sent and returns what may be acknowledged. Waits a moment for reports of other nodes, so that
    /// one commit serves all; what is too much for one commit is stored in several. A bad report fails alone (`invalid`,
    /// `notFound` for an unknown series set).
    package func take(_ intake: Intake) async throws(StoreError) -> Positions {
        try Self.check(intake)
        var positions = Positions()
        for part in intake.timely(intakeQueue.tolerance).parts {
            let result = await withCheckedContinuation { answer in
                intakeQueue.add(part, answer)
                if intakeQueue.isFull { commitIntake() }
                scheduleIntake()
            }
            positions = try result.get()
        }
        return positions
    }

    private func scheduleIntake() {
        guard intakeQueue.needsCommit() else { return }
        Task {
            // A cancelled sleep only means an earlier commit.
            try? await Task.sleep(for: intakeQueue.delay)
            intakeQueue.pass()
            commitIntake()
            // Others may have their turn before the rest.
            scheduleIntake()
        }
    }

    /// Stores what fits into one transaction. False when nothing waited.
    /// - Parameter node: only what is of this node.
    @discardableResult
    func commitIntake(of node: String? = nil) -> Bool {
        let items = intakeQueue.take(of: node)
        guard !items.isEmpty else { return false }
        var results: [Result<Positions, StoreError>] = []
        do throws(StoreError) {
            results = try transaction { () throws(StoreError) in
                var results: [Result<Positions, StoreError>] = []
                for item in items where results.isEmpty || !database.effort.current.isEnough {
                    results.append(try storeAlone(item.intake))
                }
                try ledgers.write()
                return results
            }
        } catch {
            forgetIntake()
            results = items.map { _ in .failure(error) }
        }
        intakeQueue.giveBack(items[results.count...])
        for (item, result) in zip(items, results) { item.answer.resume(returning: result) }
        return true
    }

    /// One node's fault must not undo the others' data; the store's own trouble ends them all.
    private func storeAlone(_ intake: Intake) throws(StoreError) -> Result<Positions, StoreError> {
        let before = try ledgers.snapshot(of: intake.node)
        do throws(StoreError) {
            return .success(try transaction { () throws(StoreError) in try store(intake) })
        } catch {
            ledgers.restore(before)
            series.forget(intake.series, of: intake.node)
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
        for set in intake.series { try series.register(set, of: intake.node) }
        var unnamed: [SampleRow] = []
        for row in intake.samples where try ledgers.take(row.seq, intake.node, .metrics) {
            if try !insert(row, of: intake.node) { unnamed.append(row) }
        }
        try passOver(unnamed, of: intake.node, at: intake.receivedAt ?? unnamed.last?.time ?? .now())
        for report in intake.usage {
            // A part of a report has its number only with the last: counting the others twice adds nothing.
            let isNew =
                report.isPartial
                ? try ledgers.awaits(report.seq, intake.node, .usage)
                : try ledgers.take(report.seq, intake.node, .usage)
            if isNew { try count(report, of: intake.node, at: intake.receivedAt ?? report.time) }
        }
        for event in intake.events where try ledgers.take(event.seq, intake.node, .events) {
            try insert(event, of: intake.node)
        }
        for gap in intake.gaps { try insert(gap, of: intake.node) }
        if let ahead = intake.ahead, let now = intake.receivedAt { try raiseClock(of: intake.node, ahead, at: now) }
        return try positions(node: intake.node)
    }

    /// After a rollback the rows are right and the memory is not.
    func forgetIntake() {
        ledgers.forgetAll()
        series.forgetAll()
    }

    private func raiseClock(of node: String, _ ahead: Duration, at now: Timestamp) throws(StoreError) {
        let name = try self.node(node)?.name ?? node
        try raise(
            Finding(
                "clock.ahead", subject: "node/\(node)", .warning, node: node,
                summary: "Node \(name) dates what it sends ahead of the controller's clock.",
                remedy:
                    "Set the clock of the node, or that of the controller; until then its figures stand at their arrival.",
                data: ["ahead_ms": .integer(ahead.wholeMilliseconds)]), at: now)
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
