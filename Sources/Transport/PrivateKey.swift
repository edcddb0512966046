import CLibSSL

/// A private key: of the house an ECDSA P-256 one, of an operator what his authority signs for. Its text appears only when `pem` is asked for.
package struct PrivateKey: Sendable, CustomStringConvertible, CustomReflectable {
    let handle: KeyHandle

    /// A new random key.
    package static func generate() throws(CryptoError) -> PrivateKey {
        LibraryErrors.clear()
        guard let pointer = innkeeper_p256_generate() else { throw .fromLibrary("generate a private key") }
        return PrivateKey(handle: KeyHandle(pointer))
    }

    private init(handle: KeyHandle) { self.handle = handle }

    /// Reads unencrypted PEM (PKCS 8 or SEC 1); any other kind of key than P-256 is refused.
    package init(pem: String) throws(CryptoError) {
        handle = KeyHandle(try PEM.objects(in: pem, what: "private key", atMost: 1, innkeeper_pem_key)[0])
        guard handle.isP256 else {
            throw CryptoError(operation: "read the private key", reason: "not an ECDSA P-256 key")
        }
        try requireConsistency()
    }

    /// Reads unencrypted PEM of a key that goes with a certificate from elsewhere: ECDSA (P-256, P-384, P-521), Ed25519, or
    /// RSA of 2048 bits and more.
    package init(publicPEM pem: String) throws(CryptoError) {
        handle = KeyHandle(try PEM.objects(in: pem, what: "private key", atMost: 1, innkeeper_pem_key)[0])
        guard handle.isOfPublicUse else {
            throw CryptoError(
                operation: "read the private key", reason: "neither ECDSA, nor Ed25519, nor RSA of 2048 bits and more")
        }
        try requireConsistency()
    }

    private func requireConsistency() throws(CryptoError) {
        guard isConsistent else {
            throw CryptoError(operation: "read the private key", reason: "its secret and its public part do not match")
        }
    }

    /// The text holds both parts: damage to the secret one would show only in signatures that nobody accepts.
    private var isConsistent: Bool {
        defer { LibraryErrors.clear() }
        guard let context = EVP_PKEY_CTX_new(handle.pointer, nil) else { return false }
        defer { EVP_PKEY_CTX_free(context) }
        return EVP_PKEY_pairwise_check(context) == 1
    }

    /// PKCS 8 PEM, unencrypted: keep it in a file of mode 0600 (see `PEMFile`).
    package var pem: String {
        PEM.text { PEM_write_bio_PrivateKey($0, handle.pointer, nil, nil, 0, nil, nil) } ?? ""
    }

    /// Whether the certificate was issued for this key.
    package func matches(_ certificate: Certificate) -> Bool {
        let matches = try? certificate.withPointer { X509_check_private_key($0, handle.pointer) == 1 }
        LibraryErrors.clear()
        return matches ?? false
    }

    package var description: String { handle.isP256 ? "PrivateKey(P-256)" : "PrivateKey" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
