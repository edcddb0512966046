package import Logging
package import Model
package import Store

/// All that sagas and reconcilers may ask of the outside. The daemon plugs the real ones in, tests scripted ones.
package struct World: Sendable {
    package var store: Store
    package var agents: AgentsPort
    package var clock: ClockPort
    package var logger: Logger

    package init(store: Store, agents: AgentsPort, clock: ClockPort = .system, logger: Logger) {
        self.store = store
        self.agents = agents
        self.clock = clock
        self.logger = logger
    }
}

/// The time, and waiting for it. Waits return early when their task is cancelled.
package struct ClockPort: Sendable {
    package var now: @Sendable () -> Timestamp
    /// Lets time go by before another attempt.
    package var pause: @Sendable (Duration) async -> Void
    /// Runs out when something that is under way takes too long.
    package var timer: @Sendable (Duration) async -> Void

    package init(
        now: @escaping @Sendable () -> Timestamp, pause: @escaping @Sendable (Duration) async -> Void,
        timer: @escaping @Sendable (Duration) async -> Void
    ) {
        self.now = now
        self.pause = pause
        self.timer = timer
    }

    package static let system = ClockPort(
        now: Timestamp.now, pause: { try? await Task.sleep(for: $0) }, timer: { try? await Task.sleep(for: $0) })
}
