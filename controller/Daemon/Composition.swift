import API
import ControllerCore
import DaemonKit
import Logging
import Model
import ServiceLifecycle
import Sessions
import Store
import Transport
import WireProtocol

/// The one place where the controller's parts are put together.
struct Composition {
    private let store: Store
    private let sessions: SessionDesk
    private let listener: AgentListener
    private let executor: Executor
    private let reconciliation: Reconciliation
    private let server: APIServer
    private let logger: Logger

    init(_ configuration: ServeConfiguration, _ files: StateFiles) async throws {
        logger = Logger(label: "controller")
        let authority = try files.authority()
        let identity = try files.serverIdentity(authority, extraNames: configuration.names)
        store = try Store(path: files.store)
        let revocations = Revocations()
        let nodes = try await store.allNodes()
        for node in nodes {
            revocations.enrolled(node.id)
            if node.revokedAt != nil { revocations.revoke(node: node.id) }
        }
        let fleet = Fleet(ledger: .store(store))
        var deskConfiguration = SessionDesk.Configuration()
        deskConfiguration.settings = configuration.settings
        sessions = SessionDesk(
            configuration: deskConfiguration, store: store, fleet: fleet, revocations: revocations,
            authority: authority, expected: nodes.filter { $0.state == .connected }.map(\.id),
            logger: Logger(label: "sessions"))
        listener = try Self.listener(configuration, authority, identity, files.ticketKeys(), store, sessions)
        let world = World(store: store, agents: .fleet(sessions, store), logger: Logger(label: "core"))
        let executor = Executor(
            world: world, limits: configuration.operations, rules: configuration.placement)
        self.executor = executor
        let operations = Operations(world: world, rules: configuration.placement, wake: { executor.wake() })
        reconciliation = Reconciliation(world: world, operations: operations)
        var settings = APISettings(authorityPin: authority.certificate.publicKeyPin)
        settings.host = configuration.api.host
        settings.port = configuration.api.port
        let tls = try TLSContext(
            server: TLSServerConfiguration(
                identity: identity, services: [.init(APIServer.protocolName, clientCertificate: .none)],
                serviceWithoutALPN: APIServer.protocolName))
        server = APIServer(
            store: store, operations: operations, settings: settings, tls: tls,
            logger: Logger(label: "api"))
    }

    private static func listener(
        _ configuration: ServeConfiguration, _ authority: CertificateAuthority, _ identity: TLSIdentity,
        _ ticketKeys: [UInt8], _ store: Store,
        _ sessions: SessionDesk
    ) throws -> AgentListener {
        var listening = AgentListener.Configuration()
        listening.host = configuration.agents.host
        listening.port = configuration.agents.port
        listening.eventLoops = configuration.eventLoops
        let tls = TLSServerConfiguration(
            identity: identity,
            services: [
                .init(ProtocolVersion.alpn, clientCertificate: .required),
                .init(ProtocolVersion.enrolmentALPN, clientCertificate: .none),
            ],
            clientAuthority: authority.certificate, ticketKeys: ticketKeys,
            verifyPeer: { [revocations = sessions.revocations] in revocations.verdict(on: $0) })
        let enrolments = EnrolmentDesk(
            store: store, sessions: sessions, authority: authority,
            controllerName: configuration.names.first ?? "localhost", logger: Logger(label: "enrolment"))
        return try AgentListener(
            configuration: listening, tls: tls, sessions: sessions, enrolments: enrolments,
            logger: Logger(label: "sessions"))
    }

    /// Runs until SIGTERM. The order is that of the start; the stop goes backwards, so that agents and API go first.
    func run() async throws {
        logger.notice("controller starts", metadata: ["version": "\(Version.current)"])
        let services: [any Service] = [reconciliation, executor, SessionService(desk: sessions), listener, server]
        try await Daemon.run(services, patience: .seconds(20), logger: logger)
        await store.close()
        logger.notice("controller stopped")
    }
}
