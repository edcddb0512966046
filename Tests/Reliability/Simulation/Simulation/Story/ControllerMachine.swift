import AgentCore
import ContainerProduct
import ControllerCore
import ControllerEngine
import HelmStoreProduct
import Logging
import ServiceLifecycle
import Sessions
import Store
import WireProtocol
import WordPressProduct

/// The controller, without its API: customers speak to its core.
final class ControllerMachine: Machine, @unchecked Sendable {
    static let storePath = "/simulated/machine-0/store.sqlite"

    private(set) var engine: Engine?
    private var main: Task<Void, Never>?

    init(in trial: Trial) { super.init(0, "controller", in: trial) }

    override func launch(_ owner: Owner) {
        let thread = SimulatedThread(of: owner)
        let loop = SimulatedLoop(of: owner)
        let authority = trial.identities.authority
        let (settings, ports) = (trial.options.settings, trial.outside.ports)
        main = Task.detached { [self] in
            do {
                let store = try Store(
                    path: Self.storePath, options: StoreOptions(cacheKiB: 1024, executor: thread))
                let engine = try await Engine(
                    store: store, authority: authority,
                    catalogue: Catalogue(
                        products: [Container.product, HelmStore.product, WordPress.product],
                        types: [.command, .transfer]),
                    ports: ports, settings: settings)
                try await trial.setUp(engine)
                opened(engine, loop)
                try await Self.serve(engine.services)
                await store.close()
                ended(owner, "stopped")
            } catch { ended(owner, "\(error)") }
        }
    }

    /// As the daemon does: when one service ends, so does the process.
    private static func serve(_ services: [any Service]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for service in services { group.addTask { try await service.run() } }
            try await group.next()
            group.cancelAll()
        }
    }

    private func opened(_ engine: Engine, _ loop: SimulatedLoop) {
        self.engine = engine
        let (identities, network) = (trial.identities, trial.network)
        network.controllerLoop = loop
        network.listen = { channel, node in
            guard let identity = identities.nodes[node] else { return }
            try? engine.sessions.serve(channel, certificate: identity.certificate, node: identity.node)
        }
    }

    override func buried() {
        (engine, main) = (nil, nil)
        (trial.network.listen, trial.network.controllerLoop) = (nil, nil)
    }

    func stopInOrder() {
        guard let owner else { return }
        log("is asked to stop")
        scheduler.within(owner) { main?.cancel() }
    }

    /// Asks the controller for something, as one request of its API would. No answer comes from one that dies meanwhile.
    func ask(_ body: @escaping @Sendable (Engine) async throws -> Void) {
        guard let owner, let engine else { return }
        scheduler.within(owner) {
            _ = Task.detached { [self] in
                do { try await body(engine) } catch { log("request failed: \(error)") }
            }
        }
    }
}
