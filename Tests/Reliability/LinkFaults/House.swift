import AgentCore
import FaultProxy
import Model
import Store
import Synchronization
import TestSupport
import Transport

/// Both sides of the link in this process, their state on disk, and the proxy between them.
final class House: Sendable {
    private struct Lives {
        var controller: ControllerLife?
        var agent: AgentLife?
        /// Agents that have ended.
        var ended = 0
    }

    let proxy: FaultProxy
    let driver: TruthDriver
    let controllerPlace: ControllerPlace
    let agentPlace: AgentPlace
    let log = HouseLog()
    private let lives = Mutex(Lives())

    init(
        _ plan: FaultPlan = .none, ballast: Int = 0, spoolBytes: Int? = nil,
        through middle: (ControllerPlace) async throws -> Int? = { _ in nil }
    ) async throws {
        let authority = try CertificateAuthority.create(
            commonName: "Test", days: 10, now: Timestamp.now().milliseconds)
        controllerPlace = try ControllerPlace(authority, port: try await FreePort.find())
        let target = try await middle(controllerPlace) ?? controllerPlace.port
        proxy = try await FaultProxy.start(toPort: target, plan: plan)
        var place = try AgentPlace(authority, controller: proxy.address)
        if let spoolBytes { place.settings.spoolBytes = spoolBytes }
        agentPlace = place
        driver = TruthDriver(ballast: ballast)
    }

    var controller: ControllerLife? { lives.withLock { $0.controller } }
    var agent: AgentLife? { lives.withLock { $0.agent } }
    var store: Store { get throws { try controller?.store ?? { throw SetupFailure("no controller runs") }() } }
    /// How often an agent has ended.
    var deaths: Int { lives.withLock { $0.ended } }

    func startController() async throws {
        let life = try await ControllerLife(controllerPlace, node: AgentPlace.node, log)
        lives.withLock { $0.controller = life }
    }

    func stopController() async {
        await lives.withLock { lives in
            defer { lives.controller = nil }
            return lives.controller
        }?.stop()
    }

    func startAgent() async throws {
        let life = try await AgentLife(agentPlace, driver, log)
        lives.withLock { $0.agent = life }
    }

    func stopAgent() async {
        await lives.withLock { lives in
            defer { lives.agent = nil }
            if lives.agent != nil { lives.ended += 1 }
            return lives.agent
        }?.stop()
    }

    func stop() async {
        driver.flow(false)
        await stopAgent()
        await stopController()
        await proxy.stop()
    }

    /// Lets things happen for a while: an event every few milliseconds, and what the agent takes in its rhythm.
    func live(_ time: Duration) async throws {
        let end = ContinuousClock.now + time
        while .now < end {
            driver.happen()
            try await Task.sleep(for: .milliseconds(7))
        }
    }
}
