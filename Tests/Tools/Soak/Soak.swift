import ArgumentParser
import Glibc
import SimulatedFleet

/// `innkeeper-soak PROGRAMS`: both daemons for a long time under churn, faults and orders. Prints how their memory,
/// descriptors and threads develop; ends with 1 when something grows that must not, or a promise was broken.
@main
struct Soak: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "innkeeper-soak", abstract: "Run the daemons for a long time and watch what grows.")

    @Argument(help: "The folder of the built programs.")
    var programs: String
    @Option(help: "How long it runs, in minutes.")
    var minutes = 60.0
    @Option(help: "Simulated agents at any time.")
    var agents = 300
    @Option(help: "What happens when follows from this number.")
    var seed: UInt64 = 1
    @Option(help: "Keep readings.csv and the daemons' logs in this folder.")
    var keep: String?

    func run() async throws {
        let folder = try keep ?? temporaryFolder("soak")
        mkdir(folder, 0o700)
        do {
            let run = try await SoakRun(
                site: Site(programs: programs, folder: folder), pace: Pace(minutes: minutes), agents: agents, seed: seed
            )
            let isGood = try await run.run()
            if keep == nil { remove(folder) }
            if !isGood { throw ExitCode(1) }
        } catch let error as FleetFailure {
            say("soak failed: \(error)\nlogs are in \(folder)")
            throw ExitCode(2)
        }
    }
}

/// How fast things happen. A short run hurries, so that everything happens in it at least once.
struct Pace: Sendable {
    var length: Duration
    var sample = Duration.seconds(10)
    var record = Duration.seconds(5)
    var churn = Duration.seconds(2)
    var orders = Duration.seconds(3)
    var reads = Duration.seconds(1)
    var agentLife = Duration.seconds(600)
    /// When the controller is restarted, once in an hour: one long life shows a slope best.
    var controllerRestart: Duration
    /// Samples that a simulated agent keeps while it is cut off.
    var spool = 12
    /// A long absence, in which the spool overflows.
    var absence = Duration.seconds(180)

    init(minutes: Double) {
        length = .seconds(minutes * 60)
        controllerRestart = length * 0.2
        guard minutes < 5 else { return }
        (sample, record, churn) = (.seconds(1), .seconds(1), .milliseconds(200))
        (orders, reads, agentLife) = (.milliseconds(400), .milliseconds(200), length * 0.3)
        (spool, absence) = (3, .seconds(6))
    }
}
