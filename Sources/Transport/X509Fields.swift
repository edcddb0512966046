import CLibSSL
import Glibc

/// Reading single fields out of the library's certificate structure.
enum X509Fields {
    typealias Encoder = (OpaquePointer?, UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32

    /// The DER form of a structure through its `i2d` function.
    static func bytes(of pointer: OpaquePointer, _ encode: Encoder) throws(CryptoError) -> [UInt8] {
        let count = encode(pointer, nil)
        guard count > 0 else { throw .fromLibrary("encode the certificate") }
        return [UInt8](unsafeUninitializedCapacity: Int(count)) { buffer, initialized in
            var cursor = buffer.baseAddress
            initialized = Int(max(0, encode(pointer, &cursor)))
        }
    }

    static func publicKey(of certificate: OpaquePointer) throws(CryptoError) -> [UInt8] {
        guard let key = X509_get_X509_PUBKEY(certificate) else { throw .fromLibrary("read the certificate's key") }
        return try bytes(of: key, i2d_X509_PUBKEY)
    }

    static func serial(of certificate: OpaquePointer) -> String {
        let text = string(X509_get0_serialNumber(certificate))
        let bytes = text.drop { $0 == 0 }
        return bytes.isEmpty ? "00" : Crypto.hex(bytes)
    }

    static func commonName(of name: OpaquePointer?) -> String {
        let index = X509_NAME_get_index_by_NID(name, NID_commonName, -1)
        guard index >= 0, let entry = X509_NAME_get_entry(name, index) else { return "" }
        return String(decoding: string(X509_NAME_ENTRY_get_data(entry)), as: UTF8.self)
    }

    static func names(of certificate: OpaquePointer) -> (dns: [String], uris: [String], addresses: [String]) {
        var found: (dns: [String], uris: [String], addresses: [String]) = ([], [], [])
        guard let names = innkeeper_certificate_names(certificate) else { return found }
        defer { GENERAL_NAMES_free(names) }
        for index in 0..<innkeeper_names_count(names) {
            let name = innkeeper_names_at(names, index)
            let bytes = string(innkeeper_name_text(name))
            switch innkeeper_name_type(name) {
            case GEN_DNS: found.dns.append(String(decoding: bytes, as: UTF8.self))
            case GEN_URI: found.uris.append(String(decoding: bytes, as: UTF8.self))
            case GEN_IPADD: found.addresses += address(bytes).map { [$0] } ?? []
            default: break
            }
        }
        return found
    }

    static func milliseconds(_ time: UnsafePointer<ASN1_TIME>?) throws(CryptoError) -> Int64 {
        var broken = tm()
        guard ASN1_TIME_to_tm(time, &broken) == 1 else { throw .fromLibrary("read the certificate's validity") }
        return Int64(timegm(&broken)) * 1000
    }

    private static func string(_ value: UnsafePointer<ASN1_STRING>?) -> [UInt8] {
        guard let value, let data = ASN1_STRING_get0_data(value) else { return [] }
        return Array(UnsafeBufferPointer(start: data, count: Int(ASN1_STRING_length(value))))
    }

    private static func address(_ bytes: [UInt8]) -> String? {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        guard inet_ntop(bytes.count == 4 ? AF_INET : AF_INET6, bytes, &text, socklen_t(text.count)) != nil else {
            return nil
        }
        return text.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } }
    }
}
