import Glibc
import NIOCore
import TestSupport
import Testing
import Transport

/// Our server against `openssl s_client`.
@Suite struct `A client that is not ours` {
    let credentials: Credentials

    init() throws { credentials = try Credentials() }

    private func dial(_ host: Host, _ arguments: [String]) throws -> OpenSSLProgram {
        try OpenSSLProgram(
            ["s_client", "-connect", "127.0.0.1:\(host.port)", "-servername", "localhost"] + arguments,
            in: credentials.folder)
    }

    private var withCertificate: [String] { credentials.files(credentials.node, "node") + ["-verify_return_error"] }

    private func host(
        _ manner: Probe.Manner = .echo,
        verifyPeer: @escaping @Sendable (Certificate) -> PeerVerdict = { _ in .accepted }
    ) async throws -> Host {
        try await Host(TLSContext(server: credentials.serverSettings(verifyPeer: verifyPeer)), manner: manner)
    }

    @Test func `with a good certificate exchanges bytes over TLS 1.3 and verifies the server`() async throws {
        let host = try await host()
        let client = try dial(
            host,
            withCertificate + ["-alpn", "innkeeper/1", "-verify_hostname", "localhost", "-verify_ip", "127.0.0.1"])
        try await client.outputs("Verify return code: 0 (ok)")
        #expect(client.output.contains("ALPN protocol: innkeeper/1"))
        #expect(client.output.contains("New, TLSv1.3"))
        client.say("hello from openssl\n")
        let connection = try await host.connection()
        try await connection.wait("bytes") { $0.received == 19 }
        #expect(connection.now.handshake?.peer?.nodeID == "node-1")
        client.say("Q\n")
        try await client.ended()
        try await connection.wait("end") { $0.inactive }
        #expect(connection.tlsErrors.isEmpty)
    }

    @Test func `asking for key updates gets answers and loses nothing`() async throws {
        let host = try await host()
        let client = try dial(host, withCertificate + ["-alpn", "innkeeper/1"])
        try await client.outputs("Verify return code")
        for round in 0..<20 {
            // K asks for an answer, k does not.
            client.say(round % 2 == 0 ? "K\n" : "k\n")
            try await eventually("key update \(round)") {
                client.output.components(of: "KEYUPDATE").count > round + 1
            }
            client.say("line \(round)\n")
            try await client.outputs("line \(round)")
        }
        let connection = try await host.connection()
        #expect(connection.tlsErrors.isEmpty)
        #expect(connection.text == (0..<20).map { "line \($0)\n" }.joined())
    }

    @Test func `may enrol without a certificate, and counts as unproved until the application says otherwise`()
        async throws
    {
        let host = try await host()
        let client = try dial(host, ["-alpn", "innkeeper-enrol/1"])
        client.say("hello\n")
        let connection = try await host.connection()
        try await connection.wait("bytes") { $0.received == 6 }
        #expect(connection.now.handshake?.peer == nil)
        #expect(host.gate.unproved == 1)
        try await #require(connection.now.channel).triggerUserOutboundEvent(PeerProved())
        #expect(host.gate.unproved == 0)
    }

    enum Refused: String, CaseIterable, CustomTestStringConvertible {
        case noCertificate, strangeAuthority, serverCertificate, expired, notYetValid, revoked, forgotten, oldVersion
        case strangeProtocol, noProtocol
        var testDescription: String { rawValue }
    }

    @Test(arguments: Refused.allCases)
    func `is refused with the right alert`(_ reason: Refused) async throws {
        let host = try await host(verifyPeer: {
            switch $0.nodeID {
            case "revoked": .refused("on the list")
            case "forgotten": .unknown("not on the list")
            default: .accepted
            }
        })
        let now = Credentials.now
        let other = try CertificateAuthority.create(commonName: "Test authority", days: 10, now: now)
        var arguments = ["-alpn", reason == .strangeProtocol ? "smtp" : "innkeeper/1"]
        let expected: (alert: String, error: TLSError)
        switch reason {
        case .noCertificate:
            expected = ("number 116", .certificateRefused("the client sent none"))
        case .strangeAuthority:
            arguments += credentials.files(try Credentials.node("node-1", of: other), "other")
            expected = ("number 48", .certificateRefused("unable to get local issuer certificate"))
        case .serverCertificate:
            arguments += credentials.files(credentials.server, "server")
            expected = ("number 43", .certificateRefused("unsuitable certificate purpose"))
        case .expired:
            let identity = try Credentials.node(
                "node-1", of: credentials.authority, validity: .seconds(3600), at: now - Credentials.day)
            arguments += credentials.files(identity, "expired")
            expected = ("number 45", .certificateRefused("certificate has expired"))
        case .notYetValid:
            let identity = try Credentials.node("node-1", of: credentials.authority, at: now + 2 * Credentials.day)
            arguments += credentials.files(identity, "early")
            expected = ("number 42", .certificateRefused("certificate is not yet valid"))
        case .revoked:
            arguments += credentials.files(try Credentials.node("revoked", of: credentials.authority), "revoked")
            expected = ("number 44", .certificateRefused("on the list"))
        case .forgotten:
            arguments += credentials.files(try Credentials.node("forgotten", of: credentials.authority), "forgotten")
            expected = ("number 46", .certificateRefused("not on the list"))
        case .oldVersion:
            arguments += withCertificate + ["-tls1_2"]
            expected = ("number 70", .protocolFailure("unsupported protocol"))
        case .strangeProtocol:
            arguments += withCertificate
            expected = ("number 120", .noCommonProtocol)
        case .noProtocol:
            arguments = withCertificate
            expected = ("number 120", .noCommonProtocol)
        }
        let client = try dial(host, arguments)
        try await client.outputs("SSL alert \(expected.alert)")
        let connection = try await host.connection()
        try await connection.wait("end") { $0.inactive }
        #expect(connection.tlsErrors == [expected.error])
        #expect(connection.now.handshake == nil)
        #expect(host.gate.unproved == 0)
    }

    @Test func `resumes its session, and the node is known again`() async throws {
        let host = try await host()
        let session = credentials.folder.file("session.pem")
        let first = try dial(host, withCertificate + ["-alpn", "innkeeper/1", "-sess_out", session])
        try await eventually("a ticket") { text(of: session).contains("END SSL SESSION") }
        first.say("Q\n")
        try await first.ended()
        let second = try dial(host, withCertificate + ["-alpn", "innkeeper/1", "-sess_in", session])
        second.say("again\n")
        let connection = try await host.connection(1)
        try await connection.wait("bytes") { $0.received == 6 }
        #expect(second.output.contains("Reused, TLSv1.3"))
        #expect(connection.now.handshake?.resumed == true)
        #expect(connection.now.handshake?.peer?.nodeID == "node-1")
        #expect(host.gate.unproved == 0)
    }

    @Test func `cannot resume an enrolment into a session that needs a certificate`() async throws {
        let host = try await host()
        let session = credentials.folder.file("session.pem")
        let first = try dial(host, ["-alpn", "innkeeper-enrol/1", "-sess_out", session])
        try await eventually("a ticket") { text(of: session).contains("END SSL SESSION") }
        first.say("Q\n")
        try await first.ended()
        let second = try dial(host, ["-alpn", "innkeeper/1", "-sess_in", session])
        try await second.outputs("SSL alert number 116")
        let connection = try await host.connection(1)
        try await connection.wait("end") { $0.inactive }
        #expect(connection.now.handshake == nil)
    }

    @Test func `that is killed leaves a truncated stream`() async throws {
        let host = try await host(.collect)
        let client = try dial(host, withCertificate + ["-alpn", "innkeeper/1"])
        client.say("half a li")
        let connection = try await host.connection()
        try await connection.wait("bytes") { $0.received == 9 }
        client.signal(SIGKILL)
        try await connection.wait("end") { $0.inactive }
        #expect(connection.tlsErrors == [.truncated])
        #expect(!connection.now.inputClosed)
    }

    @Test(arguments: [[], ["-alpn", "h2,http/1.1"]])
    func `that knows nothing of our names reaches the service for everyone, if there is one`(
        _ offer: [String]
    ) async throws {
        let settings = TLSServerConfiguration(
            identity: credentials.server, services: [.init("http/1.1", clientCertificate: .none)],
            serviceWithoutALPN: "http/1.1")
        let host = try await Host(TLSContext(server: settings), manner: .echo)
        let client = try dial(host, offer)
        client.say("GET\n")
        let connection = try await host.connection()
        try await connection.wait("bytes") { $0.received == 4 }
        #expect(connection.now.handshake?.service == "http/1.1")
    }

    @Test func `that speaks plain HTTP is refused`() async throws {
        let host = try await host()
        let raw = try await plainConnection(to: host.port, saying: "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        let connection = try await host.connection()
        try await connection.wait("end") { $0.inactive }
        #expect(connection.tlsErrors.count == 1)
        #expect(connection.now.handshake == nil)
        try? await raw.close()
    }
}

extension String {
    /// The pieces between occurrences of a text.
    func components(of text: String) -> [Substring] {
        var pieces: [Substring] = []
        var rest = self[...]
        while let found = rest.firstRange(of: text) {
            pieces.append(rest[..<found.lowerBound])
            rest = rest[found.upperBound...]
        }
        return pieces + [rest]
    }
}
