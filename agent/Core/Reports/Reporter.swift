import DaemonKit
import DriverKit
import Logging
import Model
import NIOCore
import SQL
import WireProtocol

/// Looks at the node in its rhythm, puts what it saw on disk, and sends it: live when there is a session, afterwards
/// otherwise.
actor Reporter {
    private(set) var drivers: [any Driver]
    let spool: SpoolFile
    let outlet: Outlet
    let logger: Logger

    private var settings = Settings()
    private var loops: [Task<Void, Never>] = []
    private var listeners: [Task<Void, Never>] = []
    var cursors: [ReportKind: ReplayCursor] = [
        .metrics: ReplayCursor(liveFirst: true), .usage: ReplayCursor(liveFirst: false),
        .events: ReplayCursor(liveFirst: false),
    ]
    var isPumping = false
    /// Sessions so far.
    private(set) var sessions = 0
    /// Something has come since the pump last looked.
    var mustPump = false
    /// Sets whose names the controller has in this session, and those that are on disk.
    var toldSets: Set<String> = []
    var storedSets: Set<String> = []
    var usage = UsageFilter()
    var trackers: [InventoryTracker]
    /// Drivers whose inventory is being looked at, and those that must be looked at once more after it.
    var looking: Set<Int> = []
    var lookAgain: Set<Int> = []
    var round: SampleRound
    var sampling: Set<Int> = []
    /// Of the last round; the beginning of time before the first.
    var roundTime = Timestamp(milliseconds: 0)
    var roundLimit: Scheduled<Void>?
    /// The writing of the last sample, which waits for the one before it.
    var keeping: Task<Void, Never>?
    private var lastComplaint: ContinuousClock.Instant?

    nonisolated var unownedExecutor: UnownedSerialExecutor { outlet.loop.executor.asUnownedSerialExecutor() }

    init(drivers: [any Driver], spool: SpoolFile, outlet: Outlet, logger: Logger) {
        self.drivers = drivers
        self.spool = spool
        self.outlet = outlet
        self.logger = logger
        trackers = drivers.map { InventoryTracker(driver: type(of: $0).name) }
        round = SampleRound(drivers: drivers.count)
    }

    func start() async {
        do throws(SQLError) { try await spool.begin(at: .now()) } catch { complain(error) }
        startLoops()
        listeners = drivers.map { driver in Task { await listen(to: driver) } }
    }

    /// A driver that was found later.
    func add(_ driver: any Driver) {
        drivers.append(driver)
        trackers.append(InventoryTracker(driver: type(of: driver).name))
        round.add()
        listeners.append(Task { await listen(to: driver) })
        look(at: drivers.count - 1)
    }

    /// What was seen until now is on disk when it returns.
    func stop() async {
        for task in loops + listeners { task.cancel() }
        for task in listeners { await task.value }
        (loops, listeners) = ([], [])
        if roundLimit != nil { closeRound() }
        await keeping?.value
        do throws(SQLError) { try await spool.end() } catch { complain(error) }
    }

    /// A command has changed something that this driver sees.
    nonisolated func changed(_ driver: String) {
        outlet.loop.execute { [weak self] in
            self?.assumeIsolated { reporter in
                if let index = reporter.drivers.firstIndex(where: { type(of: $0).name == driver }) {
                    reporter.look(at: index)
                }
            }
        }
    }

    private func startLoops() {
        for task in loops { task.cancel() }
        let sample = Duration.milliseconds(max(settings.sampleMs, 100))
        let inventory = Duration.milliseconds(max(settings.inventoryMs, 100))
        loops = [
            every(sample) { $0.sample() },
            every(min(sample * 6, max(sample, .seconds(60)))) { await $0.readUsage() },
            every(inventory) { reporter in for index in reporter.drivers.indices { reporter.look(at: index) } },
        ]
    }

    /// Runs again and again at a fixed rhythm; a beat that was missed is not caught up.
    private func every(
        _ interval: Duration, _ body: @escaping @Sendable (isolated Reporter) async -> Void
    ) -> Task<Void, Never> {
        Task {
            var next = ContinuousClock.now + interval
            while !Task.isCancelled {
                do { try await Task.sleep(until: next, tolerance: interval / 20, clock: .continuous) } catch { return }
                await body(self)
                next = max(next + interval, .now)
            }
        }
    }

    /// The disk does not take reports: said once a minute, not with each of them.
    func complain(_ error: SQLError) {
        if let lastComplaint, .now - lastComplaint < .seconds(60) { return }
        lastComplaint = .now
        logger.error("reports cannot be written to the spool", metadata: ["error": "\(error)"])
    }
}

extension Reporter: LinkListener {
    func sessionOpened(_ welcome: Welcome) {
        toldSets = []
        for index in trackers.indices { trackers[index].restart() }
        configure(welcome.settings)
        sessions += 1
        Task { [sessions] in await openSession(welcome.ack, sessions) }
        for index in drivers.indices { look(at: index) }
        sample()
    }

    func sessionClosed() {
        for kind in ReportKind.allCases { cursors[kind]?.close() }
    }

    func outletReady() { pump() }

    func received(_ message: ControllerMessage) {
        switch message {
        case .reconfigure(let settings): configure(settings)
        case .ack(let ack): acknowledge(ack.positions)
        default: break
        }
    }

    private func configure(_ new: Settings) {
        guard new != settings else { return }
        settings = new
        startLoops()
    }
}
