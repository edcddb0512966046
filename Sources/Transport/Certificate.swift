import CLibSSL
import Glibc

/// An X.509 certificate, parsed once. Two are equal when their DER bytes are.
package struct Certificate: Sendable, Hashable, CustomStringConvertible {
    package let der: [UInt8]
    /// Lower-case hexadecimal without leading zero bytes: the key under which a certificate is revoked.
    package let serial: String
    /// The subject's common name, empty when it has none.
    package let subject: String
    package let issuer: String
    package let dnsNames: [String]
    package let uris: [String]
    /// In text form, "192.0.2.1" or "2001:db8::1".
    package let ipAddresses: [String]
    /// Milliseconds since 1970, UTC.
    package let notBefore: Int64
    package let notAfter: Int64
    /// SHA-256 of the DER bytes, hexadecimal.
    package let fingerprint: String
    /// SHA-256 of the subject public key info, hexadecimal: what a join token pins.
    package let publicKeyPin: String
    package let isAuthority: Bool

    /// The first certificate of the text.
    package init(pem: String) throws(CryptoError) {
        self = try Self.chain(pem: pem, atMost: 1)[0]
    }

    package init(der: [UInt8]) throws(CryptoError) {
        LibraryErrors.clear()
        var cursor = der.withUnsafeBufferPointer { $0.baseAddress }
        let parsed = der.withUnsafeBufferPointer { bytes in
            cursor = bytes.baseAddress
            return d2i_X509(nil, &cursor, bytes.count)
        }
        guard let parsed else { throw .fromLibrary("read the certificate") }
        defer { X509_free(parsed) }
        try self.init(parsed)
    }

    /// All certificates of a PEM text, in order.
    package static func chain(pem: String, atMost limit: Int = 16) throws(CryptoError) -> [Certificate] {
        let found = try PEM.objects(in: pem, what: "certificate", atMost: limit, innkeeper_pem_certificate)
        defer { found.forEach { X509_free($0) } }
        var chain: [Certificate] = []
        for pointer in found { chain.append(try Certificate(pointer)) }
        return chain
    }

    init(_ pointer: OpaquePointer) throws(CryptoError) {
        der = try X509Fields.bytes(of: pointer, i2d_X509)
        serial = X509Fields.serial(of: pointer)
        subject = X509Fields.commonName(of: X509_get_subject_name(pointer))
        issuer = X509Fields.commonName(of: X509_get_issuer_name(pointer))
        let names = X509Fields.names(of: pointer)
        (dnsNames, uris, ipAddresses) = (names.dns, names.uris, names.addresses)
        notBefore = try X509Fields.milliseconds(X509_get0_notBefore(pointer))
        notAfter = try X509Fields.milliseconds(X509_get0_notAfter(pointer))
        fingerprint = Crypto.hex(Crypto.sha256(der))
        publicKeyPin = Crypto.hex(Crypto.sha256(try X509Fields.publicKey(of: pointer)))
        isAuthority = X509_check_ca(pointer) == 1
    }

    /// The node that this certificate was issued to, from the URI `innkeeper:node:<id>`.
    /// Nil when there is none, or more than one.
    package var nodeID: String? {
        let ids = uris.filter { $0.hasPrefix(Self.nodePrefix) }.map { String($0.dropFirst(Self.nodePrefix.count)) }
        return ids.count == 1 ? ids[0] : nil
    }

    /// - Parameter now: milliseconds since 1970.
    /// Whether the issuer's key has signed exactly these bytes.
    package func isSigned(by issuer: Certificate) -> Bool {
        let signed = try? withPointer { certificate in
            try issuer.withPointer { X509_verify(certificate, X509_get0_pubkey($0)) == 1 }
        }
        LibraryErrors.clear()
        return signed == true
    }

    package func isValid(at now: Int64) -> Bool { notBefore <= now && now < notAfter }

    package var pem: String {
        (try? withPointer { pointer in PEM.text { PEM_write_bio_X509($0, pointer) } }) ?? ""
    }

    package var description: String { "certificate \(serial) of \(subject.isEmpty ? "no name" : subject)" }

    static let nodePrefix = "innkeeper:node:"

    /// Lends the library's own form for the time of the call.
    func withPointer<Result>(_ body: (OpaquePointer) throws -> Result) throws -> Result {
        let pointer = der.withUnsafeBufferPointer { bytes in
            var cursor = bytes.baseAddress
            return d2i_X509(nil, &cursor, bytes.count)
        }
        guard let pointer else { throw CryptoError.fromLibrary("read the certificate") }
        defer { X509_free(pointer) }
        return try body(pointer)
    }

    package static func == (left: Certificate, right: Certificate) -> Bool { left.der == right.der }
    package func hash(into hasher: inout Hasher) { hasher.combine(fingerprint) }
}
