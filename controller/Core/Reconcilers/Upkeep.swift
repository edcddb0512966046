import Model
import Store

/// How long records are kept.
package struct Retention: Sendable, Hashable {
    package var samples: Duration
    package var rollups: Duration
    package var events: Duration
    /// Commands of operations that have ended.
    package var commands: Duration
    /// Operations that have ended, with journal, log and output. The newest of its kind stays while its service lives.
    package var operations: Duration
    package var gaps: Duration
    /// Counters that count no more. What was counted by them stays.
    package var usageCounters: Duration
    /// Findings that are resolved.
    package var findings: Duration
    package var audit: Duration
    /// What was handed over to others, or given up.
    package var messages: Duration

    package init(
        samples: Duration = .days(14), rollups: Duration = .days(400), events: Duration = .days(400),
        commands: Duration = .days(30), operations: Duration = .days(400), gaps: Duration = .days(400),
        usageCounters: Duration = .days(400), findings: Duration = .days(400), audit: Duration = .days(400),
        messages: Duration = .days(30)
    ) {
        self.messages = messages
        self.samples = samples
        self.rollups = rollups
        self.events = events
        self.commands = commands
        self.operations = operations
        self.gaps = gaps
        self.usageCounters = usageCounters
        self.findings = findings
        self.audit = audit
    }
}

/// Packs samples of hours that are over, and removes samples and roll-ups whose time is up.
struct MetricUpkeep: Reconciler {
    let name = "metrics"
    let interval = Duration.seconds(60)
    let retention: Retention
    /// Late samples still find their hour open.
    static let grace = Duration.seconds(600)

    func reconcile(_ dependencies: Dependencies) async throws {
        let now = dependencies.clock.now()
        try await untilNothing { try await dependencies.store.compactMetrics(before: now - Self.grace) }
        try await untilNothing {
            try await dependencies.store.pruneMetrics(
                samples: now - retention.samples, rollups: now - retention.rollups)
        }
    }
}

/// Removes records whose time is up, a bounded number in each transaction, and settles findings that nobody has seen for
/// a day of those kinds that only what comes in can raise.
struct RecordUpkeep: Reconciler {
    let name = "records"
    let interval = Duration.seconds(300)
    let retention: Retention

    func reconcile(_ dependencies: Dependencies) async throws {
        let now = dependencies.clock.now()
        let store = dependencies.store
        try await untilNothing { try await store.pruneIdempotency(before: now) }
        try await untilNothing { try await store.pruneEvents(before: now - retention.events) }
        try await untilNothing { try await store.pruneCommands(before: now - retention.commands) }
        try await untilNothing { try await store.pruneGaps(before: now - retention.gaps) }
        try await untilNothing { try await store.pruneUsageCounters(before: now - retention.usageCounters) }
        try await untilNothing { try await store.prunePlacements(before: now - retention.usageCounters) }
        try await untilNothing { try await store.pruneAllocations(before: now - retention.usageCounters) }
        try await untilNothing { try await store.pruneWithheld(before: now) }
        try await untilNothing { try await store.pruneFindings(before: now - retention.findings) }
        try await untilNothing { try await store.pruneOutbox(before: now - retention.messages) }
        try await untilNothing { try await store.pruneClaims(before: now - retention.messages) }
        try await untilNothing { try await store.pruneAudit(before: now - retention.audit) }
        try await untilNothing {
            try await store.settleFindings(Store.reportFindings, unseenSince: now - .days(1), at: now)
        }
    }
}

/// Removes operations whose time is up.
struct OperationUpkeep: Reconciler {
    let name = "operations"
    let interval = Duration.seconds(3600)
    let retention: Retention

    func reconcile(_ dependencies: Dependencies) async throws {
        let end = dependencies.clock.now() - retention.operations
        var round = try await dependencies.store.pruneOperations(before: end)
        while !round.isOver, !Task.isCancelled {
            await Task.yield()
            round = try await dependencies.store.pruneOperations(before: end, after: round.next)
        }
    }
}

/// Repeats a bounded piece of work until there is nothing left, letting others use the store in between.
private func untilNothing(_ work: () async throws -> Int) async throws {
    while !Task.isCancelled, try await work() > 0 { await Task.yield() }
}

extension Duration {
    package static func days(_ count: Int64) -> Duration { .seconds(count * 86_400) }
}
