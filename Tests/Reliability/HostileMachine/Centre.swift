import ControllerEngine
import AgentCore
import DaemonKit
import Logging
import Model
import NIOCore
import Sessions
import Store
import Synchronization
import TestSupport
import Transport
import WireProtocol

/// The side of a controller that agents see (store, sessions, listener), within the test's own process: orders are given
/// to it directly, so that a result is seen just as the agent told it.
final class Centre: Sendable {
    let store: Store
    let fleet: Fleet
    /// HOST:PORT of the listener.
    let address: String
    private let folder: ScratchFolder
    private let authority: CertificateAuthority
    private let services: [Task<Void, any Error>]
    private let serial = Mutex(0)

    /// A node that is silent for this long is called unreachable.
    static let silence = Duration.seconds(6)

    init() async throws {
        folder = try ScratchFolder("centre")
        let now = Timestamp.now().milliseconds
        let authority = try CertificateAuthority.create(commonName: "Test", days: 1, now: now)
        self.authority = authority
        let key = try PrivateKey.generate()
        let certificate = try authority.issueServer(
            key: key, names: ["localhost", "127.0.0.1"], validity: .seconds(86_400), now: now)
        let identity = try TLSIdentity(chain: [certificate, authority.certificate], key: key)
        store = try Store(path: folder.file("store.sqlite"))
        fleet = Fleet(ledger: .store(store))
        let sessions = Self.sessions(store, fleet, authority)
        let listener = try Self.listener(identity, store, sessions, authority)
        services = [
            Task { try await listener.run() }, Task { try await SessionService(manager: sessions).run() },
        ]
        guard let port = await listener.address()?.port else { throw SetupFailure("the listener has no port") }
        address = "127.0.0.1:\(port)"
    }

    private static func sessions(_ store: Store, _ fleet: Fleet, _ authority: CertificateAuthority) -> SessionManager {
        var configuration = SessionManager.Configuration()
        configuration.settings = Settings(heartbeatMs: 500, sampleMs: 250, inventoryMs: 1000)
        configuration.silence = silence
        return SessionManager(
            configuration: configuration, store: store, fleet: fleet, revocations: Revocations(), authority: authority,
            expected: [], logger: quiet)
    }

    private static func listener(
        _ identity: TLSIdentity, _ store: Store, _ sessions: SessionManager, _ authority: CertificateAuthority
    ) throws -> AgentListener {
        var configuration = AgentListener.Configuration()
        configuration.port = 0
        let enrolments = EnrolmentService(
            store: store, sessions: sessions, authority: authority, controllerName: "localhost", logger: quiet)
        let context = try TLSContext(
            server: TLSServerConfiguration(
                identity: identity, services: [.init(ProtocolVersion.alpn, clientCertificate: .required)],
                clientAuthority: authority.certificate, verifyPeer: { _ in .accepted }))
        return AgentListener(
            configuration: configuration, tls: { context }, sessions: sessions, enrolments: enrolments, logger: quiet)
    }

    private static let quiet = Logger(label: "centre") { _ in SwiftLogNoOpLogHandler() }

    /// Its agents must have ended.
    func stop() async {
        _ = await eventually { self.fleet.liveSessions.isEmpty }
        for service in services { service.cancel() }
        for service in services { _ = await service.result }
        await store.close()
    }

    /// Makes a data folder the one of a new node. Returns the node's id.
    func enrol(_ path: String) async throws -> String {
        let node = "node-\(number())"
        let key = try PrivateKey.generate()
        let request = try CertificateSigningRequest(pem: CertificateSigningRequest.make(key: key, commonName: node))
        let now = Timestamp.now()
        let certificate = try authority.issueNode(
            csr: request, nodeID: node, validity: .seconds(86_400), now: now.milliseconds)
        try await store.insertNode(NodeRecord(id: node, name: node, enrolledAt: now, approvedAt: now))
        try NodeIdentity(
            node: node, controller: address, serverName: "localhost", key: key, certificate: certificate,
            authority: authority.certificate
        ).store(in: DataDirectory(path))
        return node
    }

    /// A number that was not given before.
    func number() -> Int {
        serial.withLock { number in
            number += 1
            return number
        }
    }
}
