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
    /// Between two looks at what the drivers tell of the machine; some start tools for it.
    private let factsInterval: Duration
    /// What the controller was last told by this watch, by driver.
    private var toldFacts: [String: JSONObject] = [:]
    private var nextFacts = ContinuousClock.now
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
        roster: DriverRoster, sources: [DriverSource], interval: Duration, factsInterval: Duration, outlet: Outlet,
        hands: Hands, logger: Logger
    ) {
        (self.roster, self.sources, self.interval) = (roster, sources, interval)
        (self.factsInterval, nextFacts) = (factsInterval, .now + factsInterval)
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

    /// Tells the controller when something is otherwise than in the last greeting: which drivers there are, or, now and then, how
    /// much room is left.
    private func tell() async {
        guard outlet.isOpen else { return }
        let isDue = nextFacts <= .now
        guard roster.isUntold || isDue else { return }
        let isUntold = roster.isUntold
        roster.tell()
        var reports = await hands.reports()
        nextFacts = .now + factsInterval
        let facts = Dictionary(reports.map { ($0.name, $0.facts) }) { $1 }
        let isNews = facts.contains { name, facts in
            toldFacts[name].map { JSONValue.object($0).differsNoticeably(from: .object(facts)) } ?? true
        }
        guard isUntold || isNews else { return }
        toldFacts = facts
        // What they can do is what it was.
        if !isUntold { for index in reports.indices { reports[index].catalogue = nil } }
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

extension JSONValue {
    /// Whether a reader who plans with it would plan otherwise: anything but a number is otherwise, or a number by more than a
    /// hundredth.
    func differsNoticeably(from other: JSONValue) -> Bool {
        switch (self, other) {
        case (.object(let one), .object(let other)):
            one.members.count != other.members.count
                || one.members.contains { member in
                    other[member.key].map { member.value.differsNoticeably(from: $0) } ?? true
                }
        case (.array(let one), .array(let other)):
            one.count != other.count || zip(one, other).contains { $0.differsNoticeably(from: $1) }
        case (.integer(let one), .integer(let other)):
            abs(Double(one) - Double(other)) > max(abs(Double(one)), abs(Double(other))) / 100
        default: self != other
        }
    }
}
