import TestSupport
import Testing
import Transport

@Suite struct `The authority` {
    let credentials: Credentials
    let now = Credentials.now

    init() throws { credentials = try Credentials() }

    @Test func `issues certificates that openssl verifies for their purpose and no other`() async throws {
        let folder = credentials.folder
        let ca = folder.file("ca.crt", credentials.authority.certificate.pem)
        let node = folder.file("n.crt", credentials.node.chain[0].pem)
        let server = folder.file("s.crt", credentials.server.chain[0].pem)
        let verify = ["verify", "-x509_strict", "-CAfile", ca, "-purpose"]
        try await OpenSSLProgram.run(verify + ["sslclient", node], in: folder)
        try await OpenSSLProgram.run(verify + ["sslserver", "-verify_hostname", "localhost", server], in: folder)
        try await OpenSSLProgram.run(verify + ["sslserver", "-verify_ip", "127.0.0.1", server], in: folder)
        await #expect(throws: Failure.self) {
            try await OpenSSLProgram.run(verify + ["sslserver", node], in: folder)
        }
        await #expect(throws: Failure.self) {
            try await OpenSSLProgram.run(verify + ["sslclient", server], in: folder)
        }
        await #expect(throws: Failure.self) {
            try await OpenSSLProgram.run(verify + ["sslserver", "-verify_hostname", "other", server], in: folder)
        }
    }

    @Test func `writes what a certificate says, and reads it back`() throws {
        let leaf = credentials.node.chain[0]
        #expect(leaf.nodeID == "node-1")
        #expect(leaf.uris == ["innkeeper:node:node-1"])
        #expect(leaf.subject == "node-1")
        #expect(leaf.issuer == "Test authority")
        #expect(leaf.serial.utf8.count <= 32 && leaf.serial.utf8.count > 24)
        #expect(!leaf.isAuthority)
        #expect(credentials.authority.certificate.isAuthority)
        #expect(credentials.server.chain[0].dnsNames == ["localhost"])
        #expect(credentials.server.chain[0].ipAddresses == ["127.0.0.1"])
        #expect(try Certificate(pem: leaf.pem) == leaf)
        #expect(try Certificate(der: leaf.der) == leaf)
        #expect(try Certificate.chain(pem: leaf.pem + credentials.authority.certificate.pem).count == 2)
        #expect(credentials.node.chain[0].serial != credentials.server.chain[0].serial)
    }

    @Test func `agrees with openssl about fingerprint, pin and serial`() async throws {
        let leaf = credentials.node.chain[0]
        let folder = credentials.folder
        let file = folder.file("n.crt", leaf.pem)
        let text = try await OpenSSLProgram.run(
            ["x509", "-in", file, "-noout", "-fingerprint", "-sha256", "-serial"], in: folder)
        let plain = text.lowercased().filter { $0 != ":" }
        #expect(plain.contains(leaf.fingerprint))
        #expect(plain.contains("serial=" + leaf.serial))
        let key = folder.file("pub.der")
        try await OpenSSLProgram.run(
            ["pkey", "-in", folder.file("n.key", credentials.node.key.pem), "-pubout", "-outform", "DER", "-out", key],
            in: folder)
        let digest = try await OpenSSLProgram.run(["dgst", "-sha256", key], in: folder)
        #expect(digest.contains(leaf.publicKeyPin))
    }

    @Test func `backdates by a day and never outlives itself`() throws {
        let leaf = try Credentials.node("n", of: credentials.authority, validity: .seconds(3600), at: now).chain[0]
        #expect(leaf.notBefore == now - 86_400_000)
        #expect(leaf.notAfter == now + 3_600_000)
        let long = try Credentials.node("n", of: credentials.authority, validity: .seconds(86_400 * 36_500), at: now)
        #expect(long.chain[0].notAfter == credentials.authority.certificate.notAfter)
        #expect(leaf.isValid(at: now) && !leaf.isValid(at: now + 3_600_000) && !leaf.isValid(at: now - 86_400_001))
    }

    @Test func `ignores the names that a request asks for`() throws {
        let key = try PrivateKey.generate()
        let pem = try CertificateSigningRequest.make(key: key, commonName: "root of everything")
        let leaf = try credentials.authority.issueNode(
            csr: CertificateSigningRequest(pem: pem), nodeID: "n", validity: .seconds(60), now: now)
        #expect(leaf.subject == "n")
        #expect(leaf.uris == ["innkeeper:node:n"])
        #expect(key.matches(leaf))
    }

    @Test(arguments: ["", "a b", "a/b", "a:b", "ä", "a\nb", String(repeating: "a", count: 64)])
    func `refuses a node id that is none`(_ id: String) throws {
        #expect(throws: CryptoError.self) { try Credentials.node(id, of: credentials.authority) }
    }

    @Test(arguments: [
        "", "-a.example", "a..b", "a b", "a,DNS:b", "*.*.b", "1.2.3.4.", String(repeating: "a", count: 64),
    ])
    func `refuses a server name that is none`(_ name: String) throws {
        #expect(throws: CryptoError.self) { try Credentials.server(of: credentials.authority, names: [name]) }
    }

    @Test func `takes IPv6 addresses and wildcards as server names`() throws {
        let leaf = try Credentials.server(of: credentials.authority, names: ["2001:db8::1", "*.Example.org"]).chain[0]
        #expect(leaf.ipAddresses == ["2001:db8::1"])
        #expect(leaf.dnsNames == ["*.example.org"])
    }

    @Test func `refuses a request that its own key did not sign`() throws {
        let pem = try CertificateSigningRequest.make(key: PrivateKey.generate(), commonName: "abcdefgh")
        // One letter of the name, inside the signed part: base64 of “abcdefgh” at any of three alignments.
        let forged = try #require(
            ["YWJjZGVmZ2", "FiY2RlZmdo", "hYmNkZWZna"].lazy.compactMap { piece -> String? in
                pem.firstRange(of: piece).map { pem.replacingCharacters(in: $0, with: "X") }
            }.first)
        let error = #expect(throws: CryptoError.self) { try CertificateSigningRequest(pem: forged) }
        #expect(error?.description.contains("signature") == true)
    }

    @Test(arguments: [
        ["rsa:2048"], ["ec", "-pkeyopt", "ec_paramgen_curve:P-384"], ["ed25519"],
    ])
    func `refuses keys that are not P-256`(_ kind: [String]) async throws {
        let folder = try ScratchFolder("transport")
        let (key, request) = (folder.file("k.pem"), folder.file("r.pem"))
        try await OpenSSLProgram.run(
            ["req", "-new", "-nodes", "-subj", "/CN=x", "-keyout", key, "-out", request, "-newkey"] + kind, in: folder)
        let refusal = #expect(throws: CryptoError.self) { try CertificateSigningRequest(pem: text(of: request)) }
        #expect(refusal?.description.contains("P-256") == true)
        #expect(throws: CryptoError.self) { try PrivateKey(pem: text(of: key)) }
    }

    @Test func `takes a P-256 request of openssl`() async throws {
        let folder = try ScratchFolder("transport")
        let (key, request) = (folder.file("k.pem"), folder.file("r.pem"))
        try await OpenSSLProgram.run(
            [
                "req", "-new", "-nodes", "-subj", "/CN=x", "-keyout", key, "-out", request, "-newkey", "ec", "-pkeyopt",
                "ec_paramgen_curve:P-256",
            ], in: folder)
        let leaf = try credentials.authority.issueNode(
            csr: CertificateSigningRequest(pem: text(of: request)), nodeID: "n", validity: .seconds(60), now: now)
        #expect(try PrivateKey(pem: text(of: key)).matches(leaf))
    }

    @Test func `comes back from its files, and only with its own key`() throws {
        let (pem, key) = (credentials.authority.certificate.pem, credentials.authority.key.pem)
        let again = try CertificateAuthority(certificatePEM: pem, keyPEM: key)
        #expect(again.certificate == credentials.authority.certificate)
        let other = try PrivateKey.generate().pem
        #expect(throws: CryptoError.self) { try CertificateAuthority(certificatePEM: pem, keyPEM: other) }
        let node = credentials.node
        #expect(throws: CryptoError.self) {
            try CertificateAuthority(certificatePEM: node.chain[0].pem, keyPEM: node.key.pem)
        }
    }

    @Test(arguments: [
        "", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        String(repeating: "A", count: 70_000),
    ])
    func `says what is wrong with text that is no PEM`(_ text: String) {
        #expect(throws: CryptoError.self) { try Certificate(pem: text) }
        #expect(throws: CryptoError.self) { try PrivateKey(pem: text) }
        #expect(throws: CryptoError.self) { try CertificateSigningRequest(pem: text) }
    }

    @Test func `does not trap on any damaged certificate`() {
        let good = credentials.node.chain[0].der
        for index in good.indices {
            var bad = good
            bad[index] ^= 0xff
            _ = try? Certificate(der: bad)
            _ = try? Certificate(der: Array(good.prefix(index)))
        }
    }

    @Test func `never asks a terminal for the passphrase of an encrypted key`() async throws {
        let folder = try ScratchFolder("transport")
        let plain = folder.file("k.pem", credentials.node.key.pem)
        let sealed = folder.file("sealed.pem")
        try await OpenSSLProgram.run(
            ["pkey", "-in", plain, "-aes256", "-passout", "pass:secret", "-out", sealed], in: folder)
        #expect(throws: CryptoError.self) { try PrivateKey(pem: text(of: sealed)) }
    }

    @Test(arguments: [
        (["RSA", "-pkeyopt", "rsa_keygen_bits:2048"], true), (["RSA", "-pkeyopt", "rsa_keygen_bits:1024"], false),
        (["EC", "-pkeyopt", "ec_paramgen_curve:P-384"], true), (["EC", "-pkeyopt", "ec_paramgen_curve:P-256"], true),
        (["EC", "-pkeyopt", "ec_paramgen_curve:secp256k1"], false), (["ED25519"], true), (["X25519"], false),
    ])
    func `an operator's key may be of any kind that authorities sign for`(words: [String], isGood: Bool) async throws {
        let folder = try ScratchFolder("transport")
        let made = folder.file("made.pem")
        try await OpenSSLProgram.run(["genpkey", "-algorithm"] + words + ["-out", made], in: folder)
        let isTaken = (try? PrivateKey(publicPEM: text(of: made))) != nil
        #expect(isTaken == isGood)
    }

    @Test func `keeps keys out of descriptions`() {
        let key = credentials.node.key
        var dumped = ""
        dump(credentials.node, to: &dumped)
        #expect("\(key)" == "PrivateKey(P-256)")
        #expect(!dumped.contains("PRIVATE KEY"))
    }
}

extension String {
    /// The text with the first letter of a range changed.
    fileprivate func replacingCharacters(in range: Range<String.Index>, with letter: String) -> String {
        String(self[..<range.lowerBound]) + letter + String(self[index(after: range.lowerBound)...])
    }
}
