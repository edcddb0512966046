import Glibc
import TestSupport
import Transport

extension TLSLimits {
    /// For tests on a machine that is busy with other things.
    static var patient: TLSLimits {
        var limits = TLSLimits()
        limits.handshake = .seconds(300)
        limits.close = .seconds(60)
        return limits
    }
}

/// An authority with a server and a node, and their files for the `openssl` command.
struct Credentials {
    let authority: CertificateAuthority
    let server: TLSIdentity
    let node: TLSIdentity
    let folder: ScratchFolder

    static let day: Int64 = 86_400_000
    static var now: Int64 { Int64(time(nil)) * 1000 }

    init(validity: Duration = .seconds(86_400), at now: Int64 = Credentials.now) throws {
        folder = try ScratchFolder("transport")
        authority = try CertificateAuthority.create(
            commonName: "Test authority", days: 3650, now: Self.now - Self.day * 100)
        server = try Self.server(of: authority, names: ["localhost", "127.0.0.1"])
        node = try Self.node("node-1", of: authority, validity: validity, at: now)
    }

    static func server(of authority: CertificateAuthority, names: [String]) throws -> TLSIdentity {
        let key = try PrivateKey.generate()
        let leaf = try authority.issueServer(key: key, names: names, validity: .seconds(86_400), now: now)
        return try TLSIdentity(chain: [leaf, authority.certificate], key: key)
    }

    static func node(
        _ id: String, of authority: CertificateAuthority, validity: Duration = .seconds(86_400), at now: Int64 = now
    ) throws -> TLSIdentity {
        let key = try PrivateKey.generate()
        let request = try CertificateSigningRequest(pem: CertificateSigningRequest.make(key: key, commonName: "x"))
        let leaf = try authority.issueNode(csr: request, nodeID: id, validity: validity, now: now)
        return try TLSIdentity(chain: [leaf], key: key)
    }

    /// Paths of PEM files for `-cert`, `-key` and `-CAfile`.
    func files(_ identity: TLSIdentity, _ name: String) -> [String] {
        [
            "-cert", folder.file("\(name).crt", identity.chain[0].pem),
            "-key", folder.file("\(name).key", identity.key.pem),
            "-CAfile", folder.file("ca.crt", authority.certificate.pem),
        ]
    }

    func serverSettings(
        limits: TLSLimits = .patient,
        verifyPeer: @escaping @Sendable (Certificate) -> PeerVerdict = { _ in .accepted }
    ) -> TLSServerConfiguration {
        TLSServerConfiguration(
            identity: server,
            services: [
                .init("innkeeper/1", clientCertificate: .required),
                .init("innkeeper-enrol/1", clientCertificate: .none),
            ],
            clientAuthority: authority.certificate, limits: limits, verifyPeer: verifyPeer)
    }

    func clientSettings(
        _ identity: TLSIdentity?, service: String = "innkeeper/1", serverName: String? = "localhost",
        limits: TLSLimits = .patient
    ) -> TLSClientConfiguration {
        TLSClientConfiguration(
            trust: .authorities([authority.certificate]), serverName: serverName, identity: identity,
            protocols: [service], limits: limits)
    }
}
