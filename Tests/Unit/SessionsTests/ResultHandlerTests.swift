import AgentCommands
import Logging
import Model
import NIOCore
import NIOEmbedded
import Store
import TestSupport
import Testing
import WireProtocol

@testable import Sessions

@Suite struct ResultDeskTests {
    @Test func `a node that says not now has not ended the order, which may come again and be done`() async throws {
        let scratch = try ScratchFolder("results")
        let store = try Store(path: scratch.file("store.sqlite"))
        let now = Timestamp(milliseconds: 1)
        try await store.insertNode(NodeRecord(id: "web-1", name: "web-1", enrolledAt: now))
        _ = try await store.insertCommand(
            CommandRecord(id: "c1", node: "web-1", resource: "docker/web", body: [:], createdAt: now))
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let fleet = Fleet(ledger: Fleet.Ledger { (_, _) throws(AgentError) in Fleet.Opening() })
        let handler = ResultHandler(store: store, fleet: fleet, logger: logger)
        let channel = NIOAsyncTestingChannel()
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 7443))
        let session = AgentSession(
            identity: AgentSession.Identity(
                session: "ses", node: "web-1", boot: "b", started: 1, certificateSerial: "1", remote: "here"),
            channel: channel)

        let busy = CommandError(
            code: .journal, message: "the disk is full", retryable: true, operation: "docker.container.ensure",
            resource: "docker/web")
        handler.take(
            CommandResult(id: "c1", status: .refused, changed: false, error: busy, finished: 2), bytes: 200,
            from: session)
        _ = try await channel.waitForOutboundWrite(as: ByteBuffer.self)
        #expect(try await store.command("c1")?.state == .pending)

        handler.take(CommandResult(id: "c1", status: .succeeded, changed: true, finished: 3), bytes: 200, from: session)
        _ = try await channel.waitForOutboundWrite(as: ByteBuffer.self)
        #expect(try await store.command("c1")?.state == .succeeded)
        await store.close()
    }
}
