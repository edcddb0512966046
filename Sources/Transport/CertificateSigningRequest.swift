import CLibSSL

/// A PKCS 10 request whose self-signature was verified. Only its P-256 public key is ever used:
/// names and extensions that it asks for are ignored by the issuer.
package struct CertificateSigningRequest: Sendable {
    package let pem: String
    /// SHA-256 of the public key info, hexadecimal.
    package let publicKeyPin: String
    let publicKey: KeyHandle

    /// PEM of a request for the key, signed by it.
    /// - Parameter commonName: at most 64 characters; informational.
    package static func make(key: PrivateKey, commonName: String) throws(CryptoError) -> String {
        LibraryErrors.clear()
        guard let request = X509_REQ_new() else { throw .fromLibrary("make the certificate request") }
        defer { X509_REQ_free(request) }
        let name = X509_REQ_get_subject_name(request)
        let text = Array(commonName.utf8)
        guard X509_REQ_set_version(request, 0) == 1,
            X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, text, Int32(text.count), -1, 0) == 1,
            X509_REQ_set_pubkey(request, key.handle.pointer) == 1,
            X509_REQ_sign(request, key.handle.pointer, EVP_sha256()) > 0,
            let pem = PEM.text({ PEM_write_bio_X509_REQ($0, request) })
        else { throw .fromLibrary("make the certificate request") }
        return pem
    }

    /// Reads and verifies; anything but a self-signed P-256 request is refused.
    package init(pem: String) throws(CryptoError) {
        let operation = "accept the certificate request"
        let request = try PEM.objects(in: pem, what: "certificate request", atMost: 1, innkeeper_pem_request)[0]
        defer { X509_REQ_free(request) }
        guard let key = X509_REQ_get_pubkey(request) else { throw .fromLibrary(operation) }
        publicKey = KeyHandle(key)
        guard publicKey.isP256 else { throw CryptoError(operation: operation, reason: "its key is not ECDSA P-256") }
        guard X509_REQ_verify(request, key) == 1 else {
            LibraryErrors.clear()
            throw CryptoError(operation: operation, reason: "its signature is not by its own key")
        }
        publicKeyPin = Crypto.hex(Crypto.sha256(try X509Fields.bytes(of: key, i2d_PUBKEY)))
        self.pem = pem
    }
}
