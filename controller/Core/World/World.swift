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

/// The time, and waiting for it.
package struct ClockPort: Sendable {
    package var now: @Sendable () -> Timestamp
    /// Returns early when its task is cancelled.
    package var sleep: @Sendable (Duration) async -> Void

    package init(now: @escaping @Sendable () -> Timestamp, sleep: @escaping @Sendable (Duration) async -> Void) {
        self.now = now
        self.sleep = sleep
    }

    package static let system = ClockPort(now: Timestamp.now, sleep: { try? await Task.sleep(for: $0) })
}
