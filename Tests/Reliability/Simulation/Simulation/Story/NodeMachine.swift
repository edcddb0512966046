import AgentCore
import DriverKit
import Logging
import NIOCore
import WireProtocol

/// A node: its engines, and its agent while that runs.
final class NodeMachine: Machine, @unchecked Sendable {
    let engines: Engines
    let gauge: Gauge
    private(set) var agent: Agent?
    /// Another one after each start of the whole machine.
    private var boot = 1

    init(_ number: Int, in trial: Trial) {
        engines = Engines(node: number, seed: trial.seed, truth: trial.truth)
        gauge = Gauge(node: number)
        super.init(number, "node-\(number)", in: trial)
    }

    override func launch(_ owner: Owner) {
        let loop = SimulatedLoop(of: owner)
        let disk = SimulatedThread(of: owner)
        let network = trial.network
        let number = self.number
        guard let identity = trial.identities.nodes[number], let folder = trial.identities.folders[number] else {
            return
        }
        let drivers: [any Driver] = [
            SimulatedHost(gauge: gauge), SimulatedDocker(engines: engines), SimulatedZFS(engines: engines),
            SimulatedHelm(engines: engines), SimulatedProxmox(engines: engines),
        ]
        let machine = AgentCore.Machine(
            hostname: name, boot: "boot-\(number)-\(boot)",
            system: OperatingSystem(name: "debian", version: "12", kernel: "6.1", arch: "x86_64"))
        var settings = AgentSettings()
        settings.spoolBytes = trial.options.spoolBytes
        let logger = Logger(label: name)
        let dial: Dial = { _, prepare in network.dial(from: number, on: loop, prepare) }
        Task.detached { [self, settings] in
            do {
                let agent = try await Agent(
                    identity: identity, data: folder, drivers: drivers, machine: machine, settings: settings,
                    group: loop, disk: disk, dial: dial, logger: logger)
                self.agent = agent
                try await agent.run()
                ended(owner, "run returned")
            } catch { ended(owner, "\(error)") }
        }
    }

    override func buried() { agent = nil }

    func losePower(restart wait: Moment) {
        boot += 1
        kill(power: true, restart: wait)
    }

    /// As the service manager stops it.
    func stopInOrder() {
        guard let owner, let agent else { return }
        log("is asked to stop")
        scheduler.within(owner) {
            _ = Task.detached { [self] in
                await agent.stop()
                ended(owner, "stopped")
            }
        }
    }
}
