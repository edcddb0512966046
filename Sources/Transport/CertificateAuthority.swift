import CLibSSL

/// The controller's own authority: an ECDSA P-256 key and its self-signed certificate.
/// Renewing a certificate is issuing again; revoking is the caller's list of serials, asked in each handshake.
package struct CertificateAuthority: Sendable {
    package let certificate: Certificate
    package let key: PrivateKey

    /// A new authority with a new key, valid from a day ago.
    /// - Parameters:
    ///   - commonName: at most 64 characters.
    ///   - now: milliseconds since 1970.
    package static func create(commonName: String, days: Int, now: Int64) throws(CryptoError) -> CertificateAuthority {
        let key = try PrivateKey.generate()
        let draft = CertificateDraft(
            subject: commonName, publicKey: key.handle, names: [], purpose: .authority,
            notBefore: now - backdating, notAfter: now + Int64(days) * 86_400_000)
        return CertificateAuthority(certificate: try draft.sign(by: key, issuer: nil), key: key)
    }

    /// An authority read back from its files.
    package init(certificatePEM: String, keyPEM: String) throws(CryptoError) {
        certificate = try Certificate(pem: certificatePEM)
        key = try PrivateKey(pem: keyPEM)
        guard certificate.isAuthority else {
            throw CryptoError(operation: "load the authority", reason: "\(certificate) may not issue certificates")
        }
        guard key.matches(certificate) else {
            throw CryptoError(operation: "load the authority", reason: "the key is not that of \(certificate)")
        }
        guard certificate.isSigned(by: certificate) else {
            throw CryptoError(operation: "load the authority", reason: "\(certificate) does not bear its own signature")
        }
    }

    /// A certificate by which a node proves who it is to the controller.
    /// - Parameter nodeID: 1 to 63 letters, digits, `.`, `_` and `-`; becomes the URI `innkeeper:node:<id>`.
    package func issueNode(
        csr: CertificateSigningRequest, nodeID: String, validity: Duration, now: Int64
    ) throws(CryptoError) -> Certificate {
        guard SubjectName.isNodeID(nodeID) else {
            throw CryptoError(operation: "issue a node's certificate", reason: "“\(nodeID)” is not a node id")
        }
        let name = SubjectName.uri(Certificate.nodePrefix + nodeID)
        return try issue(nodeID, csr.publicKey, [name], .client, validity, now)
    }

    /// A certificate for the controller's listeners.
    /// - Parameter names: DNS names or IP addresses by which agents and users reach it, at least one.
    package func issueServer(
        key: PrivateKey, names: [String], validity: Duration, now: Int64
    ) throws(CryptoError) -> Certificate {
        var subjects: [SubjectName] = []
        for name in names { subjects.append(try SubjectName(host: name)) }
        guard !subjects.isEmpty else {
            throw CryptoError(operation: "issue a server certificate", reason: "no DNS name or IP address is given")
        }
        return try issue("innkeeper controller", key.handle, subjects, .server, validity, now)
    }

    /// Clocks of nodes may be behind the controller's, by hours where one of them was set wrongly.
    private static let backdating: Int64 = 86_400_000

    private init(certificate: Certificate, key: PrivateKey) {
        self.certificate = certificate
        self.key = key
    }

    private func issue(
        _ subject: String, _ publicKey: KeyHandle, _ names: [SubjectName], _ purpose: CertificateDraft.Purpose,
        _ validity: Duration, _ now: Int64
    ) throws(CryptoError) -> Certificate {
        let end = now + validity.components.seconds * 1000
        // A leaf that outlives its issuer would only be refused later, with a less clear error.
        let draft = CertificateDraft(
            subject: subject, publicKey: publicKey, names: names, purpose: purpose,
            notBefore: now - Self.backdating, notAfter: min(end, certificate.notAfter))
        return try draft.sign(by: key, issuer: certificate)
    }
}
