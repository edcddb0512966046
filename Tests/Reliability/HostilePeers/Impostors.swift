import Model
import TestSupport
import Transport

/// Certificates that should not be, made with the installation's own authority or another.
struct Forge: Sendable {
    let authority: CertificateAuthority

    init(folder: ScratchFolder) throws {
        authority = try CertificateAuthority(
            certificatePEM: PEMFile.read(folder.file("controller/ca.pem")),
            keyPEM: PEMFile.readKey(folder.file("controller/ca.key")))
    }

    private init(authority: CertificateAuthority) { self.authority = authority }

    /// Another authority of the same name.
    func rival() throws -> Forge {
        Forge(
            authority: try CertificateAuthority.create(
                commonName: authority.certificate.subject, days: 10, now: Timestamp.now().milliseconds))
    }

    /// A node's identity, valid for a day.
    /// - Parameter shift: how far from now its life begins.
    func node(_ id: String, shift: Duration = .zero) throws -> TLSIdentity {
        let key = try PrivateKey.generate()
        let request = try CertificateSigningRequest(pem: CertificateSigningRequest.make(key: key, commonName: id))
        let certificate = try authority.issueNode(
            csr: request, nodeID: id, validity: .seconds(86_400), now: (Timestamp.now() + shift).milliseconds)
        return try TLSIdentity(chain: [certificate], key: key)
    }

    /// A server's identity, which is not good for a client.
    func server() throws -> TLSIdentity {
        let key = try PrivateKey.generate()
        let certificate = try authority.issueServer(
            key: key, names: ["localhost"], validity: .seconds(86_400), now: Timestamp.now().milliseconds)
        return try TLSIdentity(chain: [certificate], key: key)
    }
}
