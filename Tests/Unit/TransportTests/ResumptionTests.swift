import NIOConcurrencyHelpers
import NIOCore
import Testing
import Transport

@Suite struct `A resumed session` {
    let credentials: Credentials

    init() throws { credentials = try Credentials() }

    private func visit(_ host: Host, _ context: TLSContext) async throws -> Sightings {
        let (channel, saw) = try await host.dial(context)
        try await channel.writeAndFlush(ByteBuffer(string: "hi"))
        try await saw.wait("echo") { $0.received == 2 }
        try await channel.close()
        return saw
    }

    @Test func `still names the node, again and again`() async throws {
        let host = try await Host(TLSContext(server: credentials.serverSettings()), manner: .echo)
        let context = try TLSContext(client: credentials.clientSettings(credentials.node))
        for round in 0..<5 {
            let saw = try await visit(host, context)
            #expect(saw.now.handshake?.resumed == (round > 0))
            let server = try await host.connection(round)
            #expect(server.now.handshake?.resumed == (round > 0))
            #expect(server.now.handshake?.peer?.nodeID == "node-1")
        }
    }

    @Test func `does not help a node that was revoked meanwhile`() async throws {
        let revoked = NIOLockedValueBox(false)
        let settings = credentials.serverSettings { _ in
            revoked.withLockedValue { $0 } ? .refused("revoked") : .accepted
        }
        let host = try await Host(TLSContext(server: settings), manner: .echo)
        let context = try TLSContext(client: credentials.clientSettings(credentials.node))
        _ = try await visit(host, context)
        #expect(context.hasSession)
        revoked.withLockedValue { $0 = true }
        let (_, saw) = try await host.dial(context)
        try await saw.wait("end") { $0.inactive }
        #expect(saw.tlsErrors == [.refusedByPeer(.certificateRevoked)])
        #expect(try await host.connection(1).tlsErrors == [.certificateRefused("revoked")])
    }

    @Test func `outlives the server when its ticket keys are kept, and not when the authority is another`() async throws
    {
        var settings = credentials.serverSettings()
        settings.ticketKeys = Crypto.randomBytes(80)
        let context = try TLSContext(client: credentials.clientSettings(credentials.node))
        _ = try await visit(Host(TLSContext(server: settings), manner: .echo), context)
        let second = try await visit(Host(TLSContext(server: settings), manner: .echo), context)
        #expect(second.now.handshake?.resumed == true)
        settings.clientAuthority = try CertificateAuthority.create(
            commonName: "New", days: 10, now: Credentials.now
        ).certificate
        let (_, saw) = try await Host(TLSContext(server: settings), manner: .echo).dial(context)
        try await saw.wait("end") { $0.inactive }
        #expect(saw.tlsErrors == [.refusedByPeer(.unknownAuthority)])
    }

    @Test func `ends when the server forgets: a full handshake follows without a fuss`() async throws {
        let context = try TLSContext(client: credentials.clientSettings(credentials.node))
        for _ in 0..<2 {
            let saw = try await visit(Host(TLSContext(server: credentials.serverSettings()), manner: .echo), context)
            #expect(saw.now.handshake?.resumed == false)
        }
    }
}
