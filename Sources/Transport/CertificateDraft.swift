import CLibSSL

/// What a certificate is to say, before it is signed.
struct CertificateDraft {
    enum Purpose {
        case authority, client, server

        /// Extensions as libcrypto's constant configuration texts.
        var extensions: [(nid: Int32, text: String)] {
            switch self {
            case .authority:
                [
                    (NID_basic_constraints, "critical,CA:TRUE,pathlen:0"),
                    (NID_key_usage, "critical,keyCertSign,cRLSign"),
                    (NID_subject_key_identifier, "hash"),
                ]
            case .client, .server:
                [
                    (NID_basic_constraints, "critical,CA:FALSE"),
                    (NID_key_usage, "critical,digitalSignature"),
                    (NID_ext_key_usage, self == .client ? "clientAuth" : "serverAuth"),
                    (NID_subject_key_identifier, "hash"),
                    (NID_authority_key_identifier, "keyid:always"),
                ]
            }
        }
    }

    let subject: String
    let publicKey: KeyHandle
    let names: [SubjectName]
    let purpose: Purpose
    /// Milliseconds since 1970; certificates keep whole seconds.
    let notBefore: Int64
    let notAfter: Int64

    /// - Parameter issuer: nil for a self-signed certificate.
    func sign(by key: PrivateKey, issuer: Certificate?) throws(CryptoError) -> Certificate {
        LibraryErrors.clear()
        guard let certificate = X509_new() else { throw .fromLibrary("make a certificate") }
        defer { X509_free(certificate) }
        let issued =
            try? issuer.map { issuer in
                try issuer.withPointer { fill(certificate, issuer: $0) }
            } ?? fill(certificate, issuer: certificate)
        guard issued == true, X509_sign(certificate, key.handle.pointer, EVP_sha256()) > 0 else {
            throw .fromLibrary("issue a certificate for \(subject)")
        }
        return try Certificate(certificate)
    }

    private func fill(_ certificate: OpaquePointer, issuer: OpaquePointer) -> Bool {
        let name = X509_get_subject_name(certificate)
        return X509_set_version(certificate, 2) == 1
            && setSerial(certificate)
            && ASN1_TIME_set(X509_getm_notBefore(certificate), Int(notBefore / 1000)) != nil
            && ASN1_TIME_set(X509_getm_notAfter(certificate), Int(notAfter / 1000)) != nil
            && X509_NAME_add_entry_by_NID(
                name, NID_commonName, MBSTRING_UTF8, Array(subject.utf8), Int32(subject.utf8.count), -1, 0)
                == 1
            && X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1
            && X509_set_pubkey(certificate, publicKey.pointer) == 1
            && purpose.extensions.allSatisfy {
                innkeeper_certificate_extend(certificate, issuer, $0.nid, $0.text) == 1
            }
            && setNames(certificate)
    }

    /// 128 random bits: serials never meet, also between two authorities.
    private func setSerial(_ certificate: OpaquePointer) -> Bool {
        let bytes = Crypto.randomBytes(16)
        guard let number = BN_bin2bn(bytes, Int32(bytes.count), nil) else { return false }
        defer { BN_free(number) }
        return BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nil
    }

    private func setNames(_ certificate: OpaquePointer) -> Bool {
        guard !names.isEmpty else { return true }
        guard let list = GENERAL_NAMES_new() else { return false }
        defer { GENERAL_NAMES_free(list) }
        return names.allSatisfy { $0.append(to: list) }
            && X509_add1_ext_i2d(certificate, NID_subject_alt_name, UnsafeMutableRawPointer(list), 0, 0) == 1
    }
}
