import AgentCommands
import NIOCore
import NIOEmbedded
import Synchronization
import Testing
import WireProtocol

@testable import Sessions

/// A node at the end of a link that records what is written to it, and says what a test lets it say.
private struct Node {
    let channel = NIOAsyncTestingChannel()
    let session: AgentSession

    init(_ name: String, in fleet: Fleet) async throws {
        try await channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 7443))
        session = AgentSession(
            identity: AgentSession.Identity(
                session: "ses", node: name, boot: "boot-1", started: 1, certificateSerial: "1", remote: "here"),
            channel: channel)
        guard case .admitted = fleet.admit(session) else {
            Issue.record("the session was not admitted")
            return
        }
        fleet.resume(session)
    }

    func next() async throws -> ControllerMessage {
        let line = try await channel.waitForOutboundWrite(as: ByteBuffer.self)
        return try ControllerMessage(decoding: line.readableBytesView.dropLast())
    }

    /// The next that `pick` finds something in.
    func next<Found>(_ pick: (ControllerMessage) -> Found?) async throws -> Found {
        while true { if let found = pick(try await next()) { return found } }
    }

    func command() async throws -> Command { try await next { if case .command(let it) = $0 { it } else { nil } } }
    func input() async throws -> Input { try await next { if case .input(let it) = $0 { it } else { nil } } }
    func cancel() async throws -> Cancel { try await next { if case .cancel(let it) = $0 { it } else { nil } } }
}

@Suite struct CommandRelayTests {
    private let fleet = Fleet(ledger: Fleet.Ledger { (_, _) throws(AgentError) in Fleet.Opening(journal: "j1") })

    private func end(_ id: String, on node: String) -> CommandRelay.End {
        CommandRelay.End(
            AgentCommand(
                id: id, resource: "zfs/tank/\(id)", generation: 1, driver: "zfs", action: "dataset.\(id)",
                deadline: .seconds(60)), on: node)
    }

    private func result(_ id: String, _ status: CommandStatus = .succeeded, changed: Bool = true) -> CommandResult {
        CommandResult(id: id, status: status, changed: changed, finished: 5)
    }

    private func say(_ bytes: Int, at offset: Int64, from node: Node) -> Bool {
        fleet.received(
            .output(
                Output(
                    id: "send", stream: .stdout, offset: offset,
                    data: [UInt8](repeating: UInt8(offset % 251), count: bytes))),
            from: node.session)
    }

    /// Both commands are on their nodes, and the receiver's has taken it on.
    private func begin() async throws -> (relay: Task<RelayOutcome, Never>, sender: Node, receiver: Node) {
        let (from, to) = (try await Node("a", in: fleet), try await Node("b", in: fleet))
        let relay = Task { [fleet, sender = end("send", on: "a"), receiver = end("receive", on: "b")] in
            await CommandRelay(fleet).run(from: sender, to: receiver)
        }
        #expect(try await to.command().id == "receive")
        #expect(
            fleet.received(.accepted(Accepted(id: "receive", status: .running, duplicate: false)), from: to.session))
        #expect(try await from.command().id == "send")
        return (relay, from, to)
    }

    @Test func `what one says the other reads, whole and in order, and both ends are told`() async throws {
        let (relay, from, to) = try await begin()
        var offset: Int64 = 0
        for size in [1, 1000, 32 << 10, 7] {
            #expect(say(size, at: offset, from: from))
            let input = try await to.input()
            #expect(input.offset == offset && input.data.count == size && !input.end)
            #expect(input.data.allSatisfy { $0 == UInt8(offset % 251) })
            offset += Int64(size)
            _ = fleet.received(.consumed(Consumed(id: "receive", bytes: offset)), from: to.session)
        }
        fleet.resolve(result("send"))
        let last = try await to.input()
        #expect(last.end && last.data.isEmpty && last.offset == offset)
        fleet.resolve(result("receive"))
        let outcome = await relay.value
        #expect(outcome.isComplete && outcome.bytes == offset && outcome.broken == nil)
        #expect(fleet.outstandingCommands == 0)
    }

    @Test func `a receiver that does not read holds the sender's credit`() async throws {
        let (relay, from, to) = try await begin()
        let granted = Mutex<Int64>(0)
        let listening = Task {
            while case let message = try await from.next() {
                if case .window(let window) = message { granted.withLock { $0 += window.credit } }
            }
        }
        let window = Int64(Consumed.window)
        func fill(upTo end: Int64, from start: Int64) {
            var said = start
            while said < end {
                #expect(say(32 << 10, at: said, from: from))
                said += 32 << 10
            }
        }
        // What the relay may hold is taken and paid for at once, what comes behind it only when the receiver has read.
        fill(upTo: window, from: 0)
        for _ in 0..<1000 where granted.withLock({ $0 }) < window { try await Task.sleep(for: .milliseconds(10)) }
        fill(upTo: 2 * window, from: window)
        try await Task.sleep(for: .milliseconds(300))
        #expect(granted.withLock { $0 } == window)
        _ = fleet.received(.consumed(Consumed(id: "receive", bytes: window)), from: to.session)
        for _ in 0..<1000 where granted.withLock({ $0 }) < 2 * window { try await Task.sleep(for: .milliseconds(10)) }
        #expect(granted.withLock { $0 } == 2 * window)
        fleet.resolve(result("send"))
        fleet.resolve(result("receive"))
        #expect(await relay.value.receiver == .success(result("receive")))
        listening.cancel()
    }

    @Test func `bytes that a lost link swallowed end both`() async throws {
        let (relay, from, to) = try await begin()
        #expect(say(100, at: 0, from: from))
        #expect(try await to.input().data.count == 100)
        #expect(say(100, at: 5000, from: from))
        #expect(try await from.cancel().id == "send")
        #expect(try await to.cancel().id == "receive")
        fleet.resolve(result("send", .cancelled))
        fleet.resolve(result("receive", .cancelled))
        let outcome = await relay.value
        #expect(!outcome.isComplete && outcome.broken == "4900 bytes of the sender's output are lost")
    }

    @Test func `a sender whose node has begun anew, after a restart, ends both`() async throws {
        let (relay, from, to) = try await begin()
        #expect(say(100, at: 0, from: from))
        #expect(try await to.input().data.count == 100)
        #expect(say(100, at: 0, from: from))
        #expect(try await from.cancel().id == "send")
        #expect(try await to.cancel().id == "receive")
        fleet.resolve(result("send", .cancelled))
        fleet.resolve(result("receive", .cancelled))
        #expect(await relay.value.broken == "the sender has begun anew")
    }

    @Test func `a sender that fails never lets the receiver take its part for the whole`() async throws {
        let (relay, from, to) = try await begin()
        #expect(say(100, at: 0, from: from))
        #expect(try await !to.input().end)
        fleet.resolve(result("send", .failed))
        #expect(try await to.cancel().id == "receive")
        fleet.resolve(result("receive", .cancelled))
        #expect(await !relay.value.isComplete)
    }

    @Test func `a receiver that has everything already stops the sender, and that is right`() async throws {
        let (relay, from, _) = try await begin()
        fleet.resolve(result("receive", changed: false))
        // The sender does not know yet.
        for offset: Int64 in [0, 32 << 10, 64 << 10] { #expect(say(32 << 10, at: offset, from: from)) }
        #expect(try await from.cancel().id == "send")
        fleet.resolve(result("send", .cancelled))
        let outcome = await relay.value
        #expect(outcome.isComplete && outcome.broken == nil)
    }

    @Test func `a receiver that is refused starts no sender`() async throws {
        let to = try await Node("b", in: fleet)
        let relay = Task { [fleet, sender = end("send", on: "a"), receiver = end("receive", on: "b")] in
            await CommandRelay(fleet).run(from: sender, to: receiver)
        }
        #expect(try await to.command().id == "receive")
        fleet.resolve(result("receive", .refused))
        let outcome = await relay.value
        #expect(outcome.sender == nil && !outcome.isComplete)
        #expect(fleet.outstandingCommands == 0)
    }
}
