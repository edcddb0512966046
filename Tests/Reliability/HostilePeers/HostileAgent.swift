import Model
import NIOCore
import TestSupport
import Testing
import Transport
import WireProtocol

/// Somebody who has a node's certificate and means harm.
struct HostileAgent: Sendable {
    let node: String
    let peer: Peer

    /// Dials with a certificate of the node; nothing is said yet.
    static func dial(_ ground: Ground, as node: String, with identity: TLSIdentity? = nil) async throws -> HostileAgent
    {
        let identity = try identity ?? ground.forge.node(node)
        let peer = try await Peer.dial(
            ground.agentPort, trusting: ground.authority, as: identity, speaking: [ProtocolVersion.alpn])
        return HostileAgent(node: node, peer: peer)
    }

    /// Dials as a new node, says hello and is welcomed.
    static func welcomed(_ ground: Ground) async throws -> HostileAgent {
        let agent = try await dial(ground, as: ground.newNode())
        try await agent.greet()
        return agent
    }

    func say(_ message: AgentMessage) async throws { try await peer.send(message.line()) }

    /// Says a good hello and waits for the welcome.
    func greet(_ spool: SpoolReport? = nil) async throws {
        try await say(.hello(Self.hello(node, spool: spool)))
        try await expectWelcome()
    }

    /// Waits for the welcome: nothing may be sent between hello and it.
    func expectWelcome() async throws {
        let isWelcome = await eventually { peer.messages.contains { if case .welcome = $0 { true } else { false } } }
        guard isWelcome else { throw SetupFailure("no welcome: \(peer.messages) \(peer.seen.errors)") }
    }

    /// Expects the controller to end the link, and to say why.
    func expectGoodbye(
        _ code: GoodbyeCode, _ words: String = "", at location: SourceLocation = #_sourceLocation
    ) async {
        let goodbye = await peer.goodbye()
        #expect(goodbye?.code == code, "\(String(describing: goodbye)) \(peer.seen.errors)", sourceLocation: location)
        #expect(
            words.isEmpty || goodbye?.message.contains(words) == true, "\(goodbye?.message ?? "")",
            sourceLocation: location)
    }

    /// Expects the session to be open and answered: a heartbeat comes back.
    func expectAlive(at location: SourceLocation = #_sourceLocation) async throws {
        let seq = Int64.random(in: 1...1 << 40)
        try await say(.heartbeat(Heartbeat(seq: seq, time: 1)))
        let isAnswered = await eventually {
            peer.messages.contains { if case .heartbeat(let beat) = $0 { beat.seq == seq } else { false } }
        }
        #expect(isAnswered, "\(peer.messages.suffix(3)) \(peer.seen.errors)", sourceLocation: location)
    }

    static func hello(_ node: String, epoch: String = "hostile", spool: SpoolReport? = nil) -> Hello {
        Hello(
            agent: "6.6.6", node: node, boot: "hostile", started: 1, hostname: "hostile",
            os: OperatingSystem(name: "debian", version: "12", kernel: "6.1", arch: "x86_64"),
            spool: spool ?? SpoolReport(epoch: epoch))
    }
}
