package import Transport

extension NodeIdentity {
    /// The identity that a grant makes of a key, after checking that the grant is for it.
    /// - Parameters:
    ///   - node: the node id that the certificate must carry.
    ///   - pin: SHA-256 of the authority's public key, from the join token or the present identity.
    package static func granted(
        certificate certificatePEM: String, authority authorityPEM: String, key: PrivateKey, node: String,
        controller: String, serverName: String, pin: String
    ) throws(IdentityError) -> NodeIdentity {
        let certificate: Certificate
        let authority: Certificate
        do throws(CryptoError) {
            certificate = try Certificate(pem: certificatePEM)
            authority = try Certificate(pem: authorityPEM)
        } catch { throw .wrongCertificate("\(error)") }
        guard authority.publicKeyPin == pin else { throw .wrongCertificate("its authority is another one") }
        guard key.matches(certificate) else { throw .wrongCertificate("it is for another key") }
        guard certificate.nodeID == node else { throw .wrongCertificate("it is for another node") }
        return NodeIdentity(
            node: node, controller: controller, serverName: serverName, key: key, certificate: certificate,
            authority: authority)
    }
}
