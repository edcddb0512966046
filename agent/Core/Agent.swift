package import DaemonKit
package import DriverKit
package import Logging
import Model
package import NIOCore
import NIOPosix
import SQL
import Threads
import WireProtocol

/// What an agent is run with.
package struct AgentSettings: Sendable {
    package var policy = Policy.standard
    /// Bytes that the spool may take on disk.
    package var spoolBytes = 64 << 20
    /// How long running commands may go on after the agent was asked to end.
    package var stopGrace = Duration.seconds(30)
    /// Acknowledged receipts beyond these are forgotten.
    package var receiptsKept = 10_000
    package var receiptDays = 7
    /// How often drivers are looked for that were not there.
    package var driverInterval = Duration.seconds(30)
    /// How often a session is told what the drivers say of the machine, where that is noticeably otherwise: Proxmox takes a second of
    /// a processor to tell the room of its storages.
    package var factsInterval = Duration.seconds(1800)
    /// How long the agent waits before it dials again.
    package var backoff = Backoff()

    package init() {}
}

/// One agent: its state on disk, its drivers and its link, put together here and nowhere else.
package final class Agent: Sendable {
    private let link: Link
    private let commands: CommandRunner
    private let reports: Reporter
    private let watch: DriverWatch
    package let files: StateFiles
    private let roster: DriverRoster
    private let settings: AgentSettings
    private let logger: Logger
    private let failures: AsyncStream<any Error>

    /// Opens the state on disk. Nothing runs before `run`.
    /// - Parameters:
    ///   - drivers: those that were found already.
    ///   - sources: of drivers that may come later.
    ///   - disk: where the disk is waited for.
    ///   - dial: how the controller is reached; nil for TLS to the address in the identity.
    package init(
        identity: NodeIdentity, data: DataDirectory, drivers: [any Driver], sources: [DriverSource] = [],
        machine: Machine, settings: AgentSettings, group: any EventLoopGroup, disk: any SerialExecutor = DiskThread(),
        dial: Dial? = nil, logger: Logger
    ) async throws {
        let files = try await StateFiles.open(
            in: data.path, spoolLimit: settings.spoolBytes, now: .now(), thread: disk)
        for path in files.setAside {
            logger.critical("a damaged file was set aside; what it knew is lost", metadata: ["file": "\(path)"])
            try await files.report(lost: path)
        }
        if files.interrupted > 0 {
            logger.warning("commands were interrupted", metadata: ["count": "\(files.interrupted)"])
        }
        let (failures, broken) = AsyncStream.makeStream(of: (any Error).self)
        let outlet = Outlet(loop: group.next())
        let credentials = try Credentials(identity, in: data)
        let reports = Reporter(drivers: drivers, spool: files.spool, outlet: outlet, logger: logger)
        let commands = CommandRunner(
            CommandRunner.Surroundings(
                drivers: Dictionary(drivers.map { (type(of: $0).name, $0) }) { $1 }, policy: settings.policy,
                journal: files.journal, epoch: files.spool.epoch, audit: files.audit, outlet: outlet, logger: logger,
                awaits: { name in sources.contains { $0.name == name && $0.hasSign() } },
                changed: { reports.changed($0) }, broken: { broken.yield($0) }))
        let renewal = CertificateRenewer(credentials: credentials, outlet: outlet, logger: logger)
        let roster = DriverRoster(drivers)
        let greeting = Greeting(
            node: identity.node, machine: machine, roster: roster, policy: settings.policy, files: files)
        let watch = DriverWatch(
            roster: roster, sources: sources, interval: settings.driverInterval, factsInterval: settings.factsInterval,
            outlet: outlet,
            hands: DriverWatch.Hands(
                take: { driver in
                    do throws(SQLError) { try await Self.recover(driver, files) } catch {
                        logger.error("earlier commands cannot be read", metadata: ["error": "\(error)"])
                    }
                    await commands.add(driver)
                    await reports.add(driver)
                }, report: { await reports.report($0, of: $1) }, reports: { await greeting.reports() }),
            logger: logger)
        link = Link(
            outlet: outlet, dial: dial ?? credentials.dial, listeners: [commands, reports, renewal, watch],
            backoff: settings.backoff, logger: logger,
            greeting: { try await greeting.hello() })
        (self.commands, self.reports, self.files, self.settings) = (commands, reports, files, settings)
        (self.roster, self.watch, self.logger, self.failures) = (roster, watch, logger, failures)
    }

    private static let abandonedLimit = 1000

    /// Works until the state on disk cannot be used any more, or the task is cancelled.
    /// - Throws: what made the state unusable.
    package func run() async throws {
        for driver in roster.drivers { try await Self.recover(driver, files) }
        await reports.start()
        await link.start()
        let tasks = [Task { await prune() }, Task { await watch.run() }]
        defer { for task in tasks { task.cancel() } }
        for await failure in failures { throw failure }
    }

    /// Tells a driver, before anything else, what became of commands of earlier lives.
    private static func recover(_ driver: any Driver, _ files: StateFiles) async throws(SQLError) {
        let abandoned = try await files.journal.abandoned(of: type(of: driver).name, limit: abandonedLimit)
        await driver.recover(abandoned)
    }

    /// Ends in order: no new commands, running ones finish or are interrupted, goodbye.
    package func stop() async {
        await commands.stop(grace: settings.stopGrace)
        await reports.stop()
        await link.stop()
    }

    /// Forgets old receipts now and then.
    private func prune() async {
        while !Task.isCancelled {
            let before = Timestamp.now() - .seconds(86_400 * settings.receiptDays)
            do { try await files.journal.prune(before: before, keep: settings.receiptsKept) } catch {
                logger.error("old receipts could not be removed", metadata: ["error": "\(error)"])
            }
            try? await Task.sleep(for: .seconds(3600), tolerance: .seconds(600))
        }
    }
}
