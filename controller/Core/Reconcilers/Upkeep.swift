import Model
import Store

/// How long records are kept.
package struct Retention: Sendable, Hashable {
    package var samples: Duration
    package var rollups: Duration
    package var events: Duration
    /// Commands of operations that have ended.
    package var commands: Duration

    package init(
        samples: Duration = .seconds(14 * 86_400), rollups: Duration = .seconds(400 * 86_400),
        events: Duration = .seconds(90 * 86_400), commands: Duration = .seconds(30 * 86_400)
    ) {
        self.samples = samples
        self.rollups = rollups
        self.events = events
        self.commands = commands
    }
}

/// Packs samples of hours that are over, and removes samples and roll-ups whose time is up.
struct MetricUpkeep: Reconciler {
    let name = "metrics"
    let interval = Duration.seconds(60)
    let retention: Retention
    /// Late samples still find their hour open.
    static let grace = Duration.seconds(600)

    func reconcile(_ world: World) async throws {
        let now = world.clock.now()
        try await untilNothing { try await world.store.compactMetrics(before: now - Self.grace) }
        try await untilNothing {
            try await world.store.pruneMetrics(samples: now - retention.samples, rollups: now - retention.rollups)
        }
    }
}

/// Removes idempotency keys, events and commands whose time is up.
struct RecordUpkeep: Reconciler {
    let name = "records"
    let interval = Duration.seconds(300)
    let retention: Retention

    func reconcile(_ world: World) async throws {
        let now = world.clock.now()
        _ = try await world.store.pruneIdempotency(before: now)
        try await untilNothing { try await world.store.pruneEvents(before: now - retention.events) }
        try await untilNothing { try await world.store.pruneCommands(before: now - retention.commands) }
    }
}

/// Repeats a bounded piece of work until there is nothing left, letting others use the store in between.
private func untilNothing(_ work: () async throws -> Int) async throws {
    while !Task.isCancelled, try await work() > 0 { await Task.yield() }
}
