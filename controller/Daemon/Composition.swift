import API
import ControllerCore
import ControllerEngine
import DaemonKit
import IntegrationKit
import Logging
import Model
import ResolverIntegration
import ServiceLifecycle
import Sessions
import Store
import Transport
import WireProtocol

/// The one place where the controller's parts are put together.
struct Composition {
    private let engine: Engine
    private let witness: StoreWitness
    private let certificates: ServerCertificates
    private let listener: AgentListener
    private let server: APIServer
    private let logger: Logger

    init(_ configuration: ServeConfiguration, _ files: StateFiles) async throws {
        logger = Logger(label: "controller")
        for finding in try files.checkModes() { logger.warning("\(finding)") }
        let authority = try files.authority()
        var options = StoreOptions(mustExist: true)
        options.clockTolerance = configuration.clockTolerance
        let store = try await files.openStore(options)
        let witness = StoreWitness(store: store, path: files.mark, logger: Logger(label: "store"))
        try await witness.check()
        self.witness = witness
        let engine = try await Engine(
            store: store, authority: authority, catalogue: .shipped, integrations: .shipped,
            ports: try Self.ports(configuration),
            settings: configuration.settings,
            placement: configuration.placement, limits: configuration.operations,
            retention: configuration.retention, allocation: configuration.allocation,
            suffixes: .installed(logger: logger))
        self.engine = engine
        let certificates = try Self.certificates(configuration, files, authority, engine)
        self.certificates = certificates
        listener = Self.listener(configuration, authority, engine) { certificates.agents }
        var settings = APISettings(authorityPin: authority.certificate.publicKeyPin)
        settings.host = configuration.api.host
        settings.port = configuration.api.port
        settings.further = configuration.apiListeners
        configuration.apiLimits.apply(to: &settings)
        server = try APIServer(
            operations: engine.operations, settings: settings, tls: { certificates.api },
            others: configuration.compatibility.apis, logger: Logger(label: "api"))
    }

    /// The ways to the outside that no integration brings.
    private static func ports(_ configuration: ServeConfiguration) throws -> Ports {
        var ports = Ports()
        let authorities = try configuration.siteAuthorities.map { path in
            let text = try PEMFile.read(path)
            _ = try Certificate.chain(pem: text)
            return text
        }
        ports.http = .fetch()
        ports.web = .fetch(authorities: authorities)
        ports.resolver = Resolver.system()
        return ports
    }

    private static func certificates(
        _ configuration: ServeConfiguration, _ files: StateFiles, _ authority: CertificateAuthority,
        _ engine: Engine
    ) throws -> ServerCertificates {
        let (ticketKeys, revocations, store) = (try files.ticketKeys(), engine.revocations, engine.store)
        return try ServerCertificates(
            make: { try files.serverIdentity(authority, extraNames: configuration.names) },
            pair: configuration.apiPair,
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
            report: { trouble in await store.note(certificateTrouble: trouble) },
            logger: Logger(label: "controller"))
    }

    private static func listener(
        _ configuration: ServeConfiguration, _ authority: CertificateAuthority, _ engine: Engine,
        tls: @escaping @Sendable () -> TLSContext
    ) -> AgentListener {
        var listening = AgentListener.Configuration()
        listening.host = configuration.agents.host
        listening.port = configuration.agents.port
        listening.eventLoops = configuration.eventLoops
        let enrolments = EnrolmentService(
            store: engine.store, sessions: engine.sessions, authority: authority,
            controllerName: configuration.names.first ?? "localhost", logger: Logger(label: "enrolment"))
        return AgentListener(
            configuration: listening, tls: tls, sessions: engine.sessions, enrolments: enrolments,
            logger: Logger(label: "sessions"))
    }

    /// Runs until SIGTERM. The order is that of the start; the stop goes backwards, so that agents and API go first.
    func run() async throws {
        logger.notice("controller starts", metadata: ["version": "\(Version.current)"])
        let services: [any Service] = [witness] + engine.services + [certificates, listener, server]
        try await Daemon.run(services, patience: .seconds(20), logger: logger)
        await engine.store.close()
        logger.notice("controller stopped")
    }
}
