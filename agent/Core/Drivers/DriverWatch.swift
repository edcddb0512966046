import DriverKit
import Logging
import Model
import NIOCore
import WireProtocol

/// Looks again and again for drivers that the machine did not have when the agent began, and whether those are still there
/// that it has: a machine starts its services in any order, and stops them when it likes.
actor DriverWatch {
    struct Hands: Sendable {
        /// Lets a driver that was found take part in everything.
        let take: @Sendable (any Driver) async -> Void
        let report: @Sendable (DriverEvent, _ driver: String) async -> Void
        /// All drivers, as the controller is told of them.
        let reports: @Sendable () async -> [DriverReport]
    }

    private let roster: DriverRoster
    private let sources: [DriverSource]
    private let interval: Duration
    private let outlet: Outlet
    private let hands: Hands
    private let logger: Logger
    /// Of sources whose sign is there and whose driver was not found: looking closely may cost more than it is worth.
    private var rests: [String: (until: ContinuousClock.Instant, wait: Duration)] = [:]
    private static let longestRest = Duration.seconds(120)
    /// How long a driver may take to say whether it is there.
    private static let patience = Duration.seconds(15)

    nonisolated var unownedExecutor: UnownedSerialExecutor { outlet.loop.executor.asUnownedSerialExecutor() }

    init(
        roster: DriverRoster, sources: [DriverSource], interval: Duration, outlet: Outlet, hands: Hands, logger: Logger
    ) {
        (self.roster, self.sources, self.interval) = (roster, sources, interval)
        (self.outlet, self.hands, self.logger) = (outlet, hands, logger)
    }

    func run() async {
        while (try? await Task.sleep(for: interval, tolerance: interval / 10)) != nil { await look() }
    }

    private func look() async {
        for source in sources where !roster.has(source.name) && source.hasSign() && isDue(source) { await find(source) }
        for driver in roster.drivers { await check(driver) }
        await tell()
    }

    private func isDue(_ source: DriverSource) -> Bool { rests[source.name].map { $0.until <= .now } ?? true }

    private func find(_ source: DriverSource) async {
        guard let driver = await source.find(roster.drivers) else {
            let wait = min(rests[source.name].map { $0.wait * 2 } ?? interval, Self.longestRest)
            rests[source.name] = (ContinuousClock.now + wait, wait)
            return
        }
        logger.notice("driver found", metadata: ["driver": "\(source.name)", "version": "\(driver.version)"])
        await hands.take(driver)
        roster.add(driver)
        await happened("driver.found", source.name, ["version": .string(driver.version)])
    }

    private func check(_ driver: any Driver) async {
        let name = type(of: driver).name
        let absence = await Self.absence(of: driver)
        guard roster.note(absence, of: name) else { return }
        if let absence {
            logger.warning("driver lost", metadata: ["driver": "\(name)", "reason": "\(absence)"])
            await happened("driver.lost", name, ["reason": .string(absence)])
        } else {
            logger.notice("driver returned", metadata: ["driver": "\(name)"])
            await happened("driver.returned", name, [:])
        }
    }

    private func happened(_ kind: String, _ driver: String, _ data: JSONObject) async {
        await hands.report(DriverEvent(time: .now(), kind: kind, data: data), driver)
    }

    /// Tells the controller when something is otherwise than in the last greeting.
    private func tell() async {
        guard outlet.isOpen, roster.isUntold else { return }
        roster.tell()
        let reports = await hands.reports()
        outlet.send(.drivers(DriversReport(drivers: reports)))
    }

    /// A driver that does not say it in time is absent: whatever it waits for does not answer.
    private static func absence(of driver: any Driver) async -> String? {
        let (answers, feed) = AsyncStream.makeStream(of: String?.self)
        let work = Task {
            feed.yield(await driver.absence())
            feed.finish()
        }
        let limit = Task {
            try? await Task.sleep(for: patience)
            feed.finish()
        }
        defer {
            work.cancel()
            limit.cancel()
        }
        for await answer in answers { return answer }
        return "it does not say whether it is there"
    }
}

extension DriverWatch: LinkListener {
    /// What changed between the greeting and the welcome would be told to nobody.
    func sessionOpened(_ welcome: Welcome) { Task { await tell() } }
    func sessionClosed() {}
    func outletReady() {}
    func received(_ message: ControllerMessage) {}
}
