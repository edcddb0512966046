import AgentCommands
import Logging
import Model
import NIOCore
import NIOEmbedded
import Store
import TestSupport
import Testing
import Transport
import WireProtocol

@testable import Sessions

/// A session manager that takes machines in, and the store behind it.
private struct Gatehouse {
    let scratch: ScratchFolder
    let store: Store
    let sessions: SessionManager
    let manager: EnrolmentService

    init() throws {
        scratch = try ScratchFolder("trust")
        store = try Store(path: scratch.file("store.sqlite"))
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let authority = try CertificateAuthority.create(
            commonName: "Test", days: 10, now: Timestamp.now().milliseconds)
        sessions = SessionManager(
            store: store, fleet: Fleet(ledger: Fleet.Ledger { (_, _) throws(AgentError) in Fleet.Opening() }),
            revocations: Revocations(), authority: authority, expected: [], logger: logger)
        manager = EnrolmentService(
            store: store, sessions: sessions, authority: authority, controllerName: "localhost", logger: logger)
    }

    func token(approves: Bool) async throws -> JoinToken {
        let token = try JoinToken.make(id: Identifier.make("tok"), caPin: String(repeating: "a", count: 64))
        let now = Timestamp.now()
        try await store.insertToken(
            TokenRecord(
                id: token.id, secretHash: token.secretHash, usesLeft: 1, expiresAt: now + .seconds(60), createdAt: now,
                approves: approves))
        return token
    }

    func enrol(_ token: JoinToken, _ key: PrivateKey) async throws -> String {
        let request = EnrolmentRequest(
            token: token.id, secret: token.secret,
            csr: try CertificateSigningRequest.make(key: key, commonName: "web"), hostname: "web", agent: "1")
        return try await manager.enrol(request, remote: "192.0.2.1").get().node
    }

    /// Memory in GiB, the pool in TiB.
    func hello(_ node: String, memory: Int64 = 64, pool: Int64 = 4) async throws {
        let channel = NIOAsyncTestingChannel()
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 7443))
        let session = AgentSession(
            identity: AgentSession.Identity(
                session: Identifier.make("ses"), node: node, boot: "b", started: 1, certificateSerial: "1",
                remote: "here"), channel: channel)
        var hello = Hello(
            agent: "0.1.0", node: node, boot: "b", started: 1, hostname: "web",
            os: OperatingSystem(name: "debian", version: "12", kernel: "6.1", arch: "x86_64"),
            spool: SpoolReport(epoch: "e1"))
        hello.drivers = [
            DriverReport(
                name: "host", version: "1", operations: [],
                facts: ["processors": 8, "memory_bytes": .integer(memory << 30)]),
            DriverReport(
                name: "zfs", version: "1", operations: [],
                facts: ["pools": [["name": "tank", "size_bytes": .integer(pool << 40)]]]),
        ]
        guard case .welcome = await sessions.judge(hello, session) else { throw SetupFailure("no welcome") }
    }

    func node(_ id: String) async throws -> NodeRecord { try #require(try await store.node(id)) }
    func doubts() async throws -> Int { try await store.findings(FindingFilter(kind: "node.claims")).items.count }
}

@Suite struct TrustTests {
    @Test func `a token says whether what joins with it is trusted, and the same key stays what it was`() async throws {
        let house = try Gatehouse()
        let (plain, trusted) = (try await house.token(approves: false), try await house.token(approves: true))
        let (first, second) = (try PrivateKey.generate(), try PrivateKey.generate())
        let stranger = try await house.enrol(plain, first)
        let known = try await house.enrol(trusted, second)
        #expect(try await house.node(stranger).approvedAt == nil)
        #expect(try await !house.node(stranger).schedulable)
        #expect(try await house.node(known).approvedAt != nil)
        #expect(try await house.node(known).schedulable)
        // Neither another token nor its own makes more of it than it was.
        for token in [plain, try await house.token(approves: true)] {
            #expect(try await house.enrol(token, first) == stranger)
            #expect(try await house.node(stranger).approvedAt == nil)
        }
        let rows = try await house.store.auditLog(subjects: [stranger]).items.map(\.action)
        #expect(rows == ["node.reenrol", "node.reenrol", "node.enrol"])
        // A machine that has lost its key is another machine.
        let anew = try await house.enrol(try await house.token(approves: false), try PrivateKey.generate())
        #expect(anew != known)
        #expect(try await house.node(anew).approvedAt == nil)
        await house.store.close()
    }

    @Test func `what no machine has is not believed, with a finding`() async throws {
        let house = try Gatehouse()
        let node = try await house.enrol(try await house.token(approves: true), try PrivateKey.generate())
        for _ in 1...2 { try await house.hello(node, pool: 8 << 10) }
        #expect(try await house.store.events().items.isEmpty)
        #expect(try await house.node(node).diskBytes == 0)
        #expect(try await house.node(node).memoryBytes == 64 << 30)
        #expect(try await house.doubts() == 1)
        await house.store.close()
    }

    @Test func `the first figures of a trusted node are its own, and later ones are held against them`() async throws {
        let house = try Gatehouse()
        let node = try await house.enrol(try await house.token(approves: true), try PrivateKey.generate())
        try await house.hello(node)
        #expect(try await house.node(node).approvedClaims?.pools == ["tank": 4 << 40])
        try await house.hello(node, memory: 128)
        #expect(try await house.node(node).memoryBytes == 128 << 30)
        #expect(try await house.doubts() == 0)
        try await house.hello(node, memory: 1024, pool: 4000)
        #expect(try await house.node(node).memoryBytes == 64 << 30)
        #expect(try await house.node(node).diskBytes == 4 << 40)
        #expect(try await house.doubts() == 1)
        await house.store.close()
    }

    @Test func `a stranger's figures become nobody's measure`() async throws {
        let house = try Gatehouse()
        let node = try await house.enrol(try await house.token(approves: false), try PrivateKey.generate())
        try await house.hello(node)
        #expect(try await house.node(node).approvedClaims == nil)
        await house.store.close()
    }
}
