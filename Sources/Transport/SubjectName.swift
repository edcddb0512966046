import CLibSSL
import Glibc

/// One subject alternative name.
enum SubjectName {
    case dns(String)
    case address([UInt8])
    case uri(String)

    /// A DNS name (with at most one leading `*.`) or an IP address in text form.
    init(host: String) throws(CryptoError) {
        if let bytes = Self.address(of: host) {
            self = .address(bytes)
        } else if Self.isDNSName(host) {
            self = .dns(host.lowercased())
        } else {
            throw CryptoError(
                operation: "issue a server certificate", reason: "“\(host)” is neither a DNS name nor an IP address")
        }
    }

    /// 4 or 16 bytes; nil when the text is no IP address.
    static func address(of text: String) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 { return Array(bytes.prefix(4)) }
        return inet_pton(AF_INET6, text, &bytes) == 1 ? bytes : nil
    }

    static func isNodeID(_ id: String) -> Bool {
        (1...63).contains(id.utf8.count) && id.utf8.allSatisfy { isAlphanumeric($0) || ".-_".utf8.contains($0) }
    }

    private static func isDNSName(_ name: String) -> Bool {
        let plain = name.hasPrefix("*.") ? name.dropFirst(2) : name[...]
        let labels = plain.split(separator: ".", omittingEmptySubsequences: false)
        return (1...253).contains(name.utf8.count)
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && label.first != "-" && label.last != "-"
                    && label.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
            }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
    }

    private var kind: (type: Int32, bytes: [UInt8]) {
        switch self {
        case .dns(let name): (GEN_DNS, Array(name.utf8))
        case .address(let bytes): (GEN_IPADD, bytes)
        case .uri(let uri): (GEN_URI, Array(uri.utf8))
        }
    }

    /// Adds the name to the list, which then owns it.
    func append(to names: OpaquePointer) -> Bool {
        let (type, bytes) = kind
        let stringType = type == GEN_IPADD ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING
        guard let value = ASN1_STRING_type_new(stringType) else { return false }
        guard ASN1_STRING_set(value, bytes, Int32(bytes.count)) == 1, let name = GENERAL_NAME_new() else {
            ASN1_STRING_free(value)
            return false
        }
        GENERAL_NAME_set0_value(name, type, value)
        guard innkeeper_names_push(names, name) == 1 else {
            GENERAL_NAME_free(name)
            return false
        }
        return true
    }
}
