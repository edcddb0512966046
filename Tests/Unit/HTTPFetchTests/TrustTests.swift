import HTTPFetch
import TestSupport
import Testing

/// HTTPS against OpenSSL's own server.
@Suite struct TrustTests {
    let client = HTTPClient()

    func request(to server: SecureServer, host: String = "localhost", trust: HTTPTrust) -> HTTPRequest {
        var request = HTTPRequest("GET", "https://\(host):\(server.port)/")
        request.trust = trust
        return request
    }

    @Test func `a server of the given authority is trusted`() async throws {
        let server = try await SecureServer()
        let response = try await client.send(request(to: server, trust: .authorities(pem: server.authority)))
        #expect(response.status == 200)
        #expect(String(decoding: response.body, as: UTF8.self).contains("TLSv1.3"))
        await server.stop()
    }

    @Test func `a server of another authority is not`() async throws {
        let server = try await SecureServer()
        let other = try await SecureServer()
        let trusts = [.authorities(pem: other.authority), HTTPTrust.system]
        for trust in trusts {
            let error = await #expect(throws: HTTPError.self) {
                try await client.send(request(to: server, trust: trust))
            }
            #expect(error?.kind == .untrusted)
            #expect(error?.isRetryable == false)
            #expect(error?.mayHaveArrived == false)
        }
        await server.stop()
        await other.stop()
    }

    @Test func `a certificate for another name is not`() async throws {
        let server = try await SecureServer()
        let error = await #expect(throws: HTTPError.self) {
            try await client.send(request(to: server, host: "127.0.0.1", trust: .authorities(pem: server.authority)))
        }
        #expect(error?.kind == .untrusted)
        await server.stop()
    }

    @Test func `a named peer is spoken to under the host's name, wherever that leads`() async throws {
        let server = try await SecureServer()
        var wanted = request(to: server, trust: .authorities(pem: server.authority))
        wanted.peer = "127.0.0.1"
        #expect(try await client.send(wanted).status == 200)
        // The certificate is still looked at by the name.
        wanted.url = "https://shop.invalid:\(server.port)/"
        let error = await #expect(throws: HTTPError.self) { try await client.send(wanted) }
        #expect(error?.kind == .untrusted)
        await server.stop()
    }

    @Test(arguments: ["localhost", "127.0.0.1:80", "", "::1]:1:"])
    func `a peer that is no address is the request's fault`(peer: String) async throws {
        var wanted = HTTPRequest("GET", "http://localhost:9/")
        wanted.peer = peer
        let error = await #expect(throws: HTTPError.self) { try await client.send(wanted) }
        #expect(error?.kind == .invalidRequest)
    }

    @Test func `an authority that is no certificate is the request's fault`() async throws {
        let server = try await SecureServer()
        let trust = HTTPTrust.authorities(pem: Array("not a certificate".utf8))
        let error = await #expect(throws: HTTPError.self) { try await client.send(request(to: server, trust: trust)) }
        #expect(error?.kind == .invalidRequest)
        await server.stop()
    }

    @Test func `a server with an outdated TLS fails the handshake`() async throws {
        let server = try await SecureServer(arguments: "-tls1_1 -cipher ALL:@SECLEVEL=0")
        let error = await #expect(throws: HTTPError.self) {
            try await client.send(request(to: server, trust: .authorities(pem: server.authority)))
        }
        await server.stop()
        #expect(error?.kind == .handshake)
    }
}

/// `openssl s_server` with an authority of its own and a certificate for `localhost`.
struct SecureServer {
    let port: UInt16
    let authority: [UInt8]
    private let folder: ScratchFolder
    private let program: BackgroundProgram

    init(arguments more: String = "") async throws {
        folder = try ScratchFolder("tls")
        let (folder, log) = (folder, folder.file("log"))
        func openssl(_ arguments: String) async throws {
            try await BackgroundProgram.run("openssl", arguments.split(separator: " ").map(String.init), log: log)
        }
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
        try await openssl(
            "req -x509 \(key) -days 2 -subj /CN=authority -keyout \(folder.file("ca.key")) -out \(folder.file("ca.pem"))"
        )
        try await openssl("req \(key) -subj /CN=server -keyout \(folder.file("s.key")) -out \(folder.file("s.csr"))")
        try folder.write(Array("subjectAltName=DNS:localhost\n".utf8), to: "names")
        try await openssl(
            "x509 -req -in \(folder.file("s.csr")) -CA \(folder.file("ca.pem")) -CAkey \(folder.file("ca.key")) "
                + "-CAcreateserial -days 2 -extfile \(folder.file("names")) -out \(folder.file("s.pem"))")
        authority = try folder.read("ca.pem")
        let arguments = "s_server -www -accept 0 -cert \(folder.file("s.pem")) -key \(folder.file("s.key")) \(more)"
        program = try BackgroundProgram(
            "openssl", arguments.split(separator: " ").map(String.init), log: folder.file("server"))
        let running = program
        guard await eventually({ running.output.contains("ACCEPT") }) else { throw SetupFailure(running.output) }
        let line = running.output.split(separator: "\n").first { $0.hasPrefix("ACCEPT") } ?? ""
        guard let port = line.split(separator: ":").last.flatMap({ UInt16($0) }) else {
            throw SetupFailure(String(line))
        }
        self.port = port
    }

    func stop() async { await program.stop() }
}
