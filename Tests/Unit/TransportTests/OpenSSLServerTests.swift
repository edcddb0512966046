import Glibc
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import TestSupport
import Testing
import Transport

/// Our client against `openssl s_server`.
@Suite struct `A server that is not ours` {
    let credentials: Credentials
    /// Programs end with their last reference; a test may have no other use for them.
    private let running = NIOLockedValueBox<[OpenSSLProgram]>([])

    init() throws { credentials = try Credentials() }

    /// Starts it on a port of its own choice.
    private func serve(_ arguments: [String] = [], identity: TLSIdentity? = nil) async throws -> (
        program: OpenSSLProgram, port: Int
    ) {
        let folder = credentials.folder
        let chain = folder.file("chain.crt", credentials.authority.certificate.pem)
        let program = try OpenSSLProgram(
            ["s_server", "-accept", "127.0.0.1:0", "-alpn", "innkeeper/1", "-cert_chain", chain]
                + credentials.files(identity ?? credentials.server, "s") + arguments, in: folder)
        running.withLockedValue { $0.append(program) }
        try await program.outputs("ACCEPT 127.0.0.1:")
        try await eventually("the port") {
            program.output.components(of: "ACCEPT 127.0.0.1:").last?.contains("\n") == true
        }
        let port = program.output.components(of: "ACCEPT 127.0.0.1:")[1].prefix { $0.isNumber }
        return (program, try #require(Int(port)))
    }

    @Test func `takes our certificate and exchanges bytes`() async throws {
        let (server, port) = try await serve(["-Verify", "2", "-verify_return_error"])
        let (channel, saw) = try await dial(
            port: port, TLSContext(client: credentials.clientSettings(credentials.node)))
        try await channel.writeAndFlush(ByteBuffer(string: "hello from us\n"))
        try await server.outputs("hello from us")
        server.say("hello back\n")
        try await saw.wait("bytes") { $0.received == 11 }
        #expect(server.output.contains("CN = node-1"))
        #expect(saw.now.handshake?.peer == credentials.server.chain[0])
        try await channel.close()
    }

    @Test func `ends its stream in order`() async throws {
        let (_, port) = try await serve(["-www"])
        let (channel, saw) = try await dial(port: port, TLSContext(client: credentials.clientSettings(nil)))
        try await channel.writeAndFlush(ByteBuffer(string: "GET / HTTP/1.0\r\n\r\n"))
        try await saw.wait("end") { $0.inactive }
        #expect(saw.text.contains("HTTP/1.0 200 ok"))
        #expect(saw.now.inputClosed)
        #expect(saw.tlsErrors.isEmpty)
    }

    @Test func `may update keys`() async throws {
        let (server, port) = try await serve()
        let (channel, saw) = try await dial(port: port, TLSContext(client: credentials.clientSettings(nil)))
        for round in 0..<10 {
            server.say("K\n")
            try await channel.writeAndFlush(ByteBuffer(string: "up \(round)\n"))
            try await server.outputs("up \(round)")
            server.say("down \(round)\n")
            try await saw.wait("line \(round)") { String(decoding: $0.bytes, as: UTF8.self).contains("down \(round)") }
        }
        #expect(saw.tlsErrors.isEmpty)
        try await channel.close()
    }

    @Test func `resumes our session`() async throws {
        let (server, port) = try await serve()
        let context = try TLSContext(client: credentials.clientSettings(nil))
        let (first, saw) = try await dial(port: port, context)
        #expect(saw.now.handshake?.resumed == false)
        try await eventually("a ticket") { context.hasSession }
        try await first.close()
        let (second, sawAgain) = try await dial(port: port, context)
        #expect(sawAgain.now.handshake?.resumed == true)
        #expect(sawAgain.now.handshake?.peer == credentials.server.chain[0])
        try await second.writeAndFlush(ByteBuffer(string: "still here\n"))
        try await server.outputs("still here")
        try await second.close()
    }

    @Test func `that is killed leaves a truncated stream`() async throws {
        let (server, port) = try await serve()
        let (_, saw) = try await dial(port: port, TLSContext(client: credentials.clientSettings(nil)))
        server.say("half\n")
        try await saw.wait("bytes") { $0.received == 5 }
        server.signal(SIGKILL)
        try await saw.wait("end") { $0.inactive }
        #expect(saw.tlsErrors == [.truncated])
    }

    @Test func `that insists on a certificate tells us so`() async throws {
        let (_, port) = try await serve(["-Verify", "2"])
        let (_, saw) = try await dial(port: port, TLSContext(client: credentials.clientSettings(nil)))
        try await saw.wait("end") { $0.inactive }
        #expect(saw.tlsErrors == [.refusedByPeer(.certificateRequired)])
    }

    @Test func `that speaks only TLS 1.2 is refused`() async throws {
        let (_, port) = try await serve(["-tls1_2"])
        let context = try TLSContext(client: credentials.clientSettings(nil))
        await #expect(throws: TLSError.refusedByPeer(.protocolVersion)) { _ = try await dial(port: port, context) }
    }

    @Test func `that chooses no protocol is refused`() async throws {
        let (_, port) = try await serve()
        let context = try TLSContext(client: credentials.clientSettings(nil, service: "smtp"))
        await #expect(throws: TLSError.self) { _ = try await dial(port: port, context) }
    }

    enum Impostor: String, CaseIterable, CustomTestStringConvertible {
        case strangeAuthority, otherName, otherAddress, nodeAsServer, strangePin
        var testDescription: String { rawValue }
    }

    @Test(arguments: Impostor.allCases)
    func `is refused when it is not who it should be`(_ impostor: Impostor) async throws {
        let other = try CertificateAuthority.create(commonName: "Test authority", days: 10, now: Credentials.now)
        var settings = credentials.clientSettings(nil)
        var identity = credentials.server
        let expected: String
        switch impostor {
        case .strangeAuthority:
            identity = try Credentials.server(of: other, names: ["localhost"])
            expected = "unable to get local issuer certificate"
        case .otherName:
            settings.serverName = "elsewhere.example"
            expected = "hostname mismatch"
        case .otherAddress:
            settings.serverName = "127.0.0.2"
            expected = "IP address mismatch"
        case .nodeAsServer:
            settings.serverName = nil
            identity = credentials.node
            expected = "unsuitable certificate purpose"
        case .strangePin:
            settings.trust = .pin(other.certificate.publicKeyPin)
            expected = "the server's chain does not contain the pinned authority"
        }
        let (_, port) = try await serve(identity: identity)
        let context = try TLSContext(client: settings)
        await #expect(throws: TLSError.certificateRefused(expected)) { _ = try await dial(port: port, context) }
    }

    @Test(arguments: ["localhost", "127.0.0.1", nil])
    func `with the pinned authority in its chain is trusted`(_ name: String?) async throws {
        let (_, port) = try await serve()
        var settings = credentials.clientSettings(nil, serverName: name)
        settings.trust = .pin(credentials.authority.certificate.publicKeyPin)
        let (channel, saw) = try await dial(port: port, TLSContext(client: settings))
        #expect(saw.now.handshake?.peer == credentials.server.chain[0])
        try await channel.close()
    }
}
