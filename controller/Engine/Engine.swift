package import ControllerCore
import Logging
import Model
package import Placement
package import ServiceLifecycle
package import Sessions
package import Store
package import Transport
package import WireProtocol

/// The controller without its ports: the store, the sessions of agents, and the work on operations, put together.
/// The daemon puts ports and an API in front of it.
package struct Engine: Sendable {
    package let store: Store
    package let sessions: SessionManager
    package let revocations: Revocations
    /// Where requests come in.
    package let operations: Operations
    private let executor: Executor
    private let reconciliation: Reconciliation
    private let delivery: OutboxDelivery

    /// Takes up what the store holds; nothing runs before the services do.
    package init(
        store: Store, authority: CertificateAuthority, catalogue: Catalogue, integrations: [IntegrationKind] = [],
        ports: Ports = Ports(), settings: Settings = Settings(),
        placement: PlacementRules = .standard, limits: ExecutorLimits = .standard,
        retention: Retention = Retention(), allocation: AllocationRules = .standard,
        suffixes: PublicSuffixes = .builtIn
    ) async throws(StoreError) {
        self.store = store
        let nodes = try await store.allNodes()
        revocations = Revocations()
        for node in nodes {
            revocations.enrolled(node.id)
            if node.revokedAt != nil { revocations.revoke(node: node.id) }
        }
        var manager = SessionManager.Configuration()
        manager.settings = settings
        sessions = SessionManager(
            configuration: manager, store: store, fleet: Fleet(ledger: .store(store)), revocations: revocations,
            authority: authority, expected: nodes.filter { $0.state == .connected }.map(\.id),
            logger: Logger(label: "sessions"))
        var dependencies = Dependencies(
            store: store, agents: .fleet(sessions, store), ports: ports, catalogue: catalogue,
            integrations: integrations, logger: Logger(label: "core"), allocation: allocation)
        dependencies.suffixes = suffixes
        let executor = Executor(dependencies: dependencies, limits: limits, rules: placement)
        self.executor = executor
        operations = Operations(dependencies: dependencies, rules: placement, wake: { executor.wake() })
        delivery = OutboxDelivery(dependencies: dependencies)
        reconciliation = Reconciliation(dependencies: dependencies, operations: operations, retention: retention)
    }

    /// In the order in which they are to start.
    package var services: [any Service] { [reconciliation, delivery, executor, SessionService(manager: sessions)] }
}
