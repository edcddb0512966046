import ControllerEngine
import Logging
import Model
import NIOCore
import Sessions
import Store
import Synchronization
import TestSupport
import Transport
import WireProtocol

/// What the controller is across its lives: its file, its authority, its port.
struct ControllerPlace: Sendable {
    let folder: ScratchFolder
    let authority: CertificateAuthority
    let key: PrivateKey
    let certificate: Certificate
    let port: Int
    var settings = Settings(heartbeatMs: 500, sampleMs: 100, inventoryMs: 1000)
    var path: String { folder.file("controller.sqlite") }

    init(_ authority: CertificateAuthority, port: Int) throws {
        folder = try ScratchFolder("controller")
        self.authority = authority
        key = try PrivateKey.generate()
        certificate = try authority.issueServer(
            key: key, names: ["127.0.0.1", "controller.test"], validity: .seconds(86_400),
            now: Timestamp.now().milliseconds)
        self.port = port
    }

    func tls(_ verify: @escaping @Sendable (Certificate) -> PeerVerdict) throws -> TLSContext {
        try TLSContext(
            server: TLSServerConfiguration(
                identity: try TLSIdentity(chain: [certificate, authority.certificate], key: key),
                services: [.init(ProtocolVersion.alpn, clientCertificate: .required)],
                clientAuthority: authority.certificate, verifyPeer: verify))
    }
}

/// The controller's sessions and store, in this process, from one start to one end.
final class ControllerLife: Sendable {
    let store: Store
    let fleet: Fleet
    private let work: Task<Void, any Error>

    init(_ place: ControllerPlace, node: String, _ log: HouseLog) async throws {
        let logger = log.logger("controller")
        store = try Store(path: place.path, options: StoreOptions(groupCommit: .milliseconds(5)))
        if try await store.node(node) == nil {
            try await store.insertNode(NodeRecord(id: node, name: "node.test", enrolledAt: .now(), approvedAt: .now()))
            // What the driver counts is a service's: only then it reaches the windows.
            try await store.hold("thing/a", on: node, for: "svc_truth", at: .now())
        }
        let revocations = Revocations()
        revocations.enrolled(node)
        fleet = Fleet(ledger: .store(store))
        var manager = SessionManager.Configuration()
        manager.settings = place.settings
        let sessions = SessionManager(
            configuration: manager, store: store, fleet: fleet, revocations: revocations, authority: place.authority,
            expected: [], logger: logger)
        let context = try place.tls { revocations.verdict(on: $0) }
        var listening = AgentListener.Configuration()
        listening.port = place.port
        let listener = AgentListener(
            configuration: listening, tls: { context }, sessions: sessions,
            enrolments: EnrolmentService(
                store: store, sessions: sessions, authority: place.authority, controllerName: "controller.test",
                logger: logger), logger: logger)
        work = Task {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await listener.run() }
                group.addTask { try await SessionService(manager: sessions).run() }
                try await group.waitForAll()
            }
        }
        guard await listener.address() != nil else {
            try await work.value
            throw SetupFailure("the controller does not listen")
        }
    }

    func stop() async {
        fleet.shutDown()
        work.cancel()
        _ = try? await work.value
        await store.close()
    }
}
