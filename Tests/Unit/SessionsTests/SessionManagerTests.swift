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

@Suite struct SessionDeskTests {
    private func candidate(_ name: String) async throws -> AgentSession {
        let channel = NIOAsyncTestingChannel()
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 7443))
        return AgentSession(
            identity: AgentSession.Identity(
                session: name, node: "web-1", boot: "b", started: 1, certificateSerial: "1", remote: "here"),
            channel: channel)
    }

    private let hello = Hello(
        agent: "0.1.0", node: "web-1", boot: "b", started: 1, hostname: "web-1",
        os: OperatingSystem(name: "debian", version: "12", kernel: "6.1", arch: "x86_64"),
        spool: SpoolReport(epoch: "e1"))

    @Test func `a departure that is written late does not hide who has come back`() async throws {
        let scratch = try ScratchFolder("sessions")
        let store = try Store(path: scratch.file("store.sqlite"))
        let now = Timestamp.now()
        try await store.insertNode(NodeRecord(id: "web-1", name: "web-1", enrolledAt: now, approvedAt: now))
        let revocations = Revocations()
        revocations.enrolled("web-1")
        let sessions = SessionManager(
            store: store, fleet: Fleet(ledger: Fleet.Ledger { (_, _) throws(AgentError) in Fleet.Opening() }),
            revocations: revocations,
            authority: try CertificateAuthority.create(commonName: "Test", days: 10, now: now.milliseconds),
            expected: [], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let first = try await candidate("ses_1")
        guard case .welcome = await sessions.judge(hello, first) else { throw SetupFailure("no welcome") }
        sessions.opened(first)
        sessions.departed(first)
        #expect(await eventually { (try? await store.node("web-1")?.state) == .unreachable })
        guard case .welcome = await sessions.judge(hello, try await candidate("ses_2")) else {
            throw SetupFailure("no second welcome")
        }
        await sessions.recordState(of: ["web-1"])
        #expect(try await store.node("web-1")?.state == .connected)
        await store.close()
    }

    @Test func `drivers that come after the hello take its place in what the store knows`() async throws {
        let scratch = try ScratchFolder("sessions")
        let store = try Store(path: scratch.file("store.sqlite"))
        let now = Timestamp.now()
        try await store.insertNode(NodeRecord(id: "web-1", name: "web-1", enrolledAt: now))
        try await store.recordHello(hello.record, at: now)
        let session = try await candidate("ses_1")
        let ingest = Ingest(
            session: session, journal: "e1", store: store,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let report = DriverReport(
            name: "zfs", version: "2", operations: ["pool.list"],
            facts: ["pools": [["name": "tank", "size_bytes": 1000]]],
            catalogue: [
                ActionReport(
                    name: "pool.list", kind: .observe, summary: "lists", deadlineMs: 1, input: ActionInput.none,
                    output: false, resource: "zpool/{pool}", arguments: ["type": "object"],
                    secrets: ["description": .string(String(repeating: "x", count: 17 << 10))])
            ])
        ingest.take(.drivers(DriversReport(drivers: [report])), bytes: 100)
        #expect(await eventually { (try? await store.node("web-1")?.diskBytes) == 1000 })
        let node = try #require(try await store.node("web-1"))
        #expect(node.facts["hostname"] == "web-1" && node.facts["drivers"]?.asArray?.first?["name"] == "zfs")
        let offer = try await store.catalogue(of: "web-1")?.asArray?.first?["operations"]?.asArray?.first
        #expect(offer?["resource"] == "zpool/{pool}" && offer?["input"] == "none" && offer?["output"] == false)
        #expect(
            offer?["arguments"] == ["type": "object"] && offer?["secrets"] == nil, "a schema beyond 16 KiB is not kept")
        await store.close()
    }

    @Test func `what drivers claim after the hello is believed as little as what it claimed`() async throws {
        let scratch = try ScratchFolder("sessions")
        let store = try Store(path: scratch.file("store.sqlite"))
        let now = Timestamp.now()
        try await store.insertNode(
            NodeRecord(id: "web-1", name: "web-1", enrolledAt: now, approvedAt: now))
        try await store.updateNode("web-1") { $0.approvedClaims = NodeClaims(pools: ["tank": 1000]) }
        try await store.recordHello(hello.record, at: now)
        let ingest = Ingest(
            session: try await candidate("ses_1"), journal: "e1", store: store,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        func say(_ size: Int64) {
            let facts: JSONObject = ["pools": [["name": "tank", "size_bytes": .integer(size)]]]
            let report = DriverReport(name: "zfs", version: "2", operations: [], facts: facts)
            ingest.take(.drivers(DriversReport(drivers: [report])), bytes: 100)
        }
        @Sendable func open() async throws -> [FindingRecord] {
            try await store.findings(FindingFilter(kind: "node.claims", withResolved: false)).items
        }
        say(8 << 50)
        #expect(await eventually { (try? await open().count) == 1 })
        #expect(try await store.node("web-1")?.diskBytes == 1000)
        say(900)
        #expect(await eventually { (try? await store.node("web-1")?.diskBytes) == 900 })
        #expect(try await open().isEmpty)
        await store.close()
    }
}
