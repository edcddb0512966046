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
    private let witness: StoreWitness
    private let sessions: SessionDesk
    private let certificates: ServerCertificates
    private let listener: AgentListener
    private let executor: Executor
    private let reconciliation: Reconciliation
    private let server: APIServer
    private let logger: Logger

    init(_ configuration: ServeConfiguration, _ files: StateFiles) async throws {
        logger = Logger(label: "controller")
        let authority = try files.authority()
        store = try Store(path: files.store, options: StoreOptions(mustExist: true))
        let witness = StoreWitness(store: store, path: files.mark, logger: Logger(label: "store"))
        try await witness.check()
        self.witness = witness
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
        let certificates = try Self.certificates(configuration, files, authority, revocations)
        self.certificates = certificates
        listener = Self.listener(configuration, authority, store, sessions) { certificates.agents }
        let world = World(store: store, agents: .fleet(sessions, store), logger: Logger(label: "core"))
        let executor = Executor(
            world: world, limits: configuration.operations, rules: configuration.placement)
        self.executor = executor
        let operations = Operations(world: world, rules: configuration.placement, wake: { executor.wake() })
        reconciliation = Reconciliation(world: world, operations: operations)
        var settings = APISettings(authorityPin: authority.certificate.publicKeyPin)
        settings.host = configuration.api.host
        settings.port = configuration.api.port
        server = APIServer(
            store: store, operations: operations, settings: settings, tls: { certificates.api },
            logger: Logger(label: "api"))
    }

    private static func certificates(
        _ configuration: ServeConfiguration, _ files: StateFiles, _ authority: CertificateAuthority,
        _ revocations: Revocations
    ) throws -> ServerCertificates {
        let ticketKeys = try files.ticketKeys()
        return try ServerCertificates(
            make: { try files.serverIdentity(authority, extraNames: configuration.names) },
            agentRules: { identity in
                TLSServerConfiguration(
                    identity: identity,
                    services: [
                        .init(ProtocolVersion.alpn, clientCertificate: .required),
                        .init(ProtocolVersion.enrolmentALPN, clientCertificate: .none),
                    ],
                    clientAuthority: authority.certificate, ticketKeys: ticketKeys,
                    verifyPeer: { revocations.verdict(on: $0) })
            },
            logger: Logger(label: "controller"))
    }

    private static func listener(
        _ configuration: ServeConfiguration, _ authority: CertificateAuthority, _ store: Store, _ sessions: SessionDesk,
        tls: @escaping @Sendable () -> TLSContext
    ) -> AgentListener {
        var listening = AgentListener.Configuration()
        listening.host = configuration.agents.host
        listening.port = configuration.agents.port
        listening.eventLoops = configuration.eventLoops
        let enrolments = EnrolmentDesk(
            store: store, sessions: sessions, authority: authority,
            controllerName: configuration.names.first ?? "localhost", logger: Logger(label: "enrolment"))
        return AgentListener(
            configuration: listening, tls: tls, sessions: sessions, enrolments: enrolments,
            logger: Logger(label: "sessions"))
    }

    /// Runs until SIGTERM. The order is that of the start; the stop goes backwards, so that agents and API go first.
    func run() async throws {
        logger.notice("controller starts", metadata: ["version": "\(Version.current)"])
        let services: [any Service] = [
            witness, reconciliation, executor, SessionService(desk: sessions), certificates, listener, server,
        ]
        try await Daemon.run(services, patience: .seconds(20), logger: logger)
        await store.close()
        logger.notice("controller stopped")
    }
}
