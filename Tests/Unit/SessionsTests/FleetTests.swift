import AgentCommands
import NIOCore
import NIOEmbedded
import Synchronization
import Testing
import WireProtocol

@testable import Sessions

/// A link that records what is written to it.
private struct ScriptedLink {
    let channel = NIOAsyncTestingChannel()
    let session: AgentSession

    init(node: String = "web-1", boot: String = "boot-1", started: Int64 = 1) async throws {
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 7443))
        session = AgentSession(
            identity: AgentSession.Identity(
                session: "ses", node: node, boot: boot, started: started, certificateSerial: "1", remote: "here"),
            channel: channel)
    }

    func next() async throws -> ControllerMessage {
        let line = try await channel.waitForOutboundWrite(as: ByteBuffer.self)
        return try ControllerMessage(decoding: line.readableBytesView.dropLast())
    }

    func nextCommand() async throws -> Command {
        while true { if case .command(let command) = try await next() { return command } }
    }
}

@Suite struct FleetTests {
    private let fleet = Fleet(ledger: Fleet.Ledger { (_, _) throws(AgentError) in Fleet.Opening(journal: "j1") })

    private func order(_ id: String, patience: Duration = .seconds(60)) -> AgentCommand {
        AgentCommand(
            id: id, resource: "docker/web", generation: 3, driver: "docker", action: "container.ensure",
            deadline: .seconds(10), patience: patience)
    }

    private func result(_ id: String) -> CommandResult {
        CommandResult(id: id, status: .succeeded, changed: true, observed: ["ok": .bool(true)], finished: 5)
    }

    private func perform(_ order: AgentCommand, observer: CommandObserver = CommandObserver()) -> Task<
        CommandResult, any Error
    > {
        var observed = order
        observed.observer = observer
        return Task { [observed] in try await fleet.perform(observed, on: "web-1") }
    }

    private func connect(_ link: ScriptedLink) {
        guard case .admitted = fleet.admit(link.session) else {
            Issue.record("the session was not admitted")
            return
        }
        fleet.resume(link.session)
    }

    @Test func `an order goes to the live session and its result comes back`() async throws {
        let link = try await ScriptedLink()
        connect(link)
        let outcome = perform(order("c1"))
        let command = try await link.nextCommand()
        #expect(command.id == "c1")
        #expect(command.generation == 3)
        #expect(command.journal == "j1")
        fleet.resolve(result("c1"))
        #expect(try await outcome.value == result("c1"))
        #expect(fleet.outstandingCommands == 0)
    }

    @Test func `an order waits for its node and is sent when it comes`() async throws {
        let outcome = perform(order("c1"))
        while fleet.outstandingCommands == 0 { await Task.yield() }
        let link = try await ScriptedLink()
        connect(link)
        #expect(try await link.nextCommand().id == "c1")
        fleet.resolve(result("c1"))
        #expect(try await outcome.value.status == .succeeded)
    }

    @Test func `after a cut link the same id is sent again`() async throws {
        let first = try await ScriptedLink()
        connect(first)
        let outcome = perform(order("c1"))
        _ = try await first.nextCommand()
        #expect(fleet.closed(first.session))
        let second = try await ScriptedLink()
        connect(second)
        #expect(try await second.nextCommand().id == "c1")
        fleet.resolve(result("c1"))
        #expect(try await outcome.value.status == .succeeded)
    }

    @Test func `a known result is returned without sending`() async throws {
        let known = result("c1")
        let fleet = Fleet(ledger: Fleet.Ledger { (_, _) throws(AgentError) in Fleet.Opening(result: known) })
        #expect(try await fleet.perform(order("c1"), on: "web-1") == known)
    }

    @Test func `patience ends for a node that stays away`() async throws {
        let outcome = perform(order("c1", patience: .seconds(5)))
        while fleet.outstandingCommands == 0 { await Task.yield() }
        fleet.tick(now: .now + .seconds(4))
        #expect(fleet.outstandingCommands == 1)
        fleet.tick(now: .now + .seconds(6))
        await #expect(throws: AgentError.unreachable(node: "web-1")) { try await outcome.value }
    }

    @Test func `a connected node that never answers is given up after deadline and allowance`() async throws {
        let link = try await ScriptedLink()
        connect(link)
        let outcome = perform(order("c1"))
        _ = try await link.nextCommand()
        fleet.tick(now: .now + .seconds(41))
        await #expect(throws: AgentError.noAnswer(node: "web-1", command: "c1")) { try await outcome.value }
    }

    @Test func `a cancel before the node is there follows the command`() async throws {
        let outcome = perform(order("c1"))
        while fleet.outstandingCommands == 0 { await Task.yield() }
        fleet.cancel("c1", reason: "asked")
        let link = try await ScriptedLink()
        connect(link)
        guard case .command = try await link.next(), case .cancel(let cancel) = try await link.next() else {
            Issue.record("not a command and its cancel")
            return
        }
        #expect(cancel == Cancel(id: "c1", reason: "asked"))
        fleet.resolve(CommandResult(id: "c1", status: .cancelled, changed: false, observed: [:], finished: 5))
        #expect(try await outcome.value.status == .cancelled)
    }

    @Test func `consumed output is given back as credit, more than the credit ends the session`() async throws {
        let link = try await ScriptedLink()
        connect(link)
        let seen = Mutex(0)
        let outcome = perform(
            order("c1"), observer: CommandObserver(output: { output in seen.withLock { $0 += output.data.count } }))
        _ = try await link.nextCommand()
        let piece = Output(id: "c1", stream: .stdout, offset: 0, data: [UInt8](repeating: 65, count: 1000))
        #expect(fleet.received(.output(piece), from: link.session))
        guard case .window(let window) = try await link.next() else {
            Issue.record("no credit came back")
            return
        }
        #expect(window == Window(id: "c1", credit: 1000))
        #expect(seen.withLock { $0 } == 1000)
        let flood = Output(
            id: "c1", stream: .stdout, offset: 1000, data: [UInt8](repeating: 65, count: Int(Fleet.initialWindow) + 1))
        #expect(!fleet.received(.output(flood), from: link.session))
        fleet.resolve(result("c1"))
        _ = try await outcome.value
    }

    @Test func `another node cannot speak for an order`() async throws {
        let link = try await ScriptedLink()
        let stranger = try await ScriptedLink(node: "web-2")
        connect(link)
        connect(stranger)
        let progressed = Mutex(false)
        let outcome = perform(
            order("c1"), observer: CommandObserver(progress: { _ in progressed.withLock { $0 = true } }))
        _ = try await link.nextCommand()
        _ = fleet.received(.progress(CommandProgress(id: "c1", message: "mine")), from: stranger.session)
        fleet.resolve(result("c1"))
        _ = try await outcome.value
        #expect(!progressed.withLock { $0 })
    }

    @Test func `the same id is not waited for twice`() async throws {
        let outcome = perform(order("c1"))
        while fleet.outstandingCommands == 0 { await Task.yield() }
        await #expect(throws: AgentError.inFlight(command: "c1")) { try await fleet.perform(order("c1"), on: "web-1") }
        fleet.shutDown()
        await #expect(throws: AgentError.abandoned(command: "c1")) { try await outcome.value }
    }

    @Test func `revoking a node ends its orders and its link`() async throws {
        let link = try await ScriptedLink()
        connect(link)
        let outcome = perform(order("c1"))
        _ = try await link.nextCommand()
        fleet.disconnect("web-1", code: .revoked, message: "revoked")
        await #expect(throws: AgentError.revoked(node: "web-1")) { try await outcome.value }
        guard case .goodbye(let goodbye) = try await link.next() else {
            Issue.record("no goodbye")
            return
        }
        #expect(goodbye.code == .revoked)
        #expect(!goodbye.retry)
    }

    @Test func `the same agent replaces its stale link, a clone is refused while the first lives`() async throws {
        let first = try await ScriptedLink()
        connect(first)
        let again = try await ScriptedLink()
        guard case .admitted(let replaced) = fleet.admit(again.session) else {
            Issue.record("the same agent was refused")
            return
        }
        #expect(replaced === first.session)
        let clone = try await ScriptedLink(boot: "boot-2")
        guard case .duplicate(let live) = fleet.admit(clone.session) else {
            Issue.record("the clone was admitted")
            return
        }
        #expect(live === again.session)
        let restarted = try await ScriptedLink(started: 2)
        fleet.closed(again.session)
        guard case .admitted(nil) = fleet.admit(restarted.session) else {
            Issue.record("a restarted agent was refused after its link closed")
            return
        }
    }
}
