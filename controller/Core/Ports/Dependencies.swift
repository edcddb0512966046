package import Logging
package import Model
package import Store

/// All that sagas and reconcilers may ask of the outside. The daemon plugs the real ones in, tests scripted ones.
package struct Dependencies: Sendable {
    package var store: Store
    package var agents: AgentsPort { didSet { looks = Looks(agents, clock) } }
    /// What can be sold and done.
    package var catalogue: Catalogue
    package var clock: ClockPort
    package var logger: Logger
    /// From what values are taken for services, and how long they rest.
    package var allocation: AllocationRules
    /// What commands say while they run, for those who want to hear it.
    package let live = LiveCommands()
    /// How long operations took.
    package let measures = OperationMeasures()
    /// Questions to nodes outside operations.
    package private(set) var looks: Looks
    /// Others than agents.
    package var ports: Ports
    /// Names that no customer owns.
    package var suffixes = PublicSuffixes.builtIn
    /// What the operator has set up. The ports lead there.
    package let integrations: Integrations

    package init(
        store: Store, agents: AgentsPort, ports: Ports = Ports(), catalogue: Catalogue,
        integrations kinds: [IntegrationKind] = [], clock: ClockPort = .system, logger: Logger,
        allocation: AllocationRules = .standard
    ) {
        integrations = Integrations(kinds, store: store, http: ports.http, clock: clock, random: ports.random)
        self.allocation = allocation
        self.store = store
        self.agents = agents
        self.ports = ports
        // Tests script the integrations themselves; who has kinds has real ones.
        if !kinds.isEmpty {
            self.ports.integrations = integrations.port
            self.ports.resolver = integrations.resolver(else: ports.resolver)
        }
        looks = Looks(agents, clock)
        self.catalogue = catalogue
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
    /// The time since some moment, by a clock that nobody sets.
    package var uptime: @Sendable () -> Duration

    /// - Parameter uptime: that of `now` unless it is given.
    package init(
        now: @escaping @Sendable () -> Timestamp, pause: @escaping @Sendable (Duration) async -> Void,
        timer: @escaping @Sendable (Duration) async -> Void, uptime: (@Sendable () -> Duration)? = nil
    ) {
        self.now = now
        self.pause = pause
        self.timer = timer
        self.uptime = uptime ?? { .milliseconds(now().milliseconds) }
    }

    package static let system = ClockPort(
        now: Timestamp.now, pause: { try? await Task.sleep(for: $0) }, timer: { try? await Task.sleep(for: $0) },
        uptime: { ContinuousClock.now - start })

    private static let start = ContinuousClock.now
}

/// Times that go on evenly from the moment it was made, whatever is done to the wall clock.
struct SteadyClock: Sendable {
    private let port: ClockPort
    private let start: (time: Timestamp, uptime: Duration)

    init(_ port: ClockPort) {
        self.port = port
        start = (port.now(), port.uptime())
    }

    func now() -> Timestamp { start.time + (port.uptime() - start.uptime) }
}

/// Services say what they are made of when they start: not all that is in here.
extension Dependencies: CustomStringConvertible {
    package var description: String { "Dependencies" }
}
