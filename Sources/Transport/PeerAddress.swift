package import NIOCore

extension SocketAddress {
    /// The IP address alone, in the one form in which logs and the audit log have it: without port and zone, and an IPv4
    /// address as such, also where it came over a socket that takes both kinds (`::ffff:192.0.2.1`).
    package var plainAddress: String? {
        guard let text = ipAddress else { return nil }
        let address = String(text.prefix { $0 != "%" })
        guard let bytes = SubjectName.address(of: address), bytes.count == 16, Self.isMapped(bytes) else {
            return address
        }
        return bytes.suffix(4).map(String.init).joined(separator: ".")
    }

    /// The address as far as it names one host: an IPv6 host usually has its whole /64.
    package var network: String { Crypto.hex(networkBytes) }

    var networkBytes: [UInt8] {
        guard let text = ipAddress else { return [] }
        let address = String(text.prefix { $0 != "%" })
        guard let bytes = SubjectName.address(of: address) else { return Array(address.utf8) }
        guard bytes.count == 16 else { return bytes }
        return Array(Self.isMapped(bytes) ? bytes.suffix(4) : bytes.prefix(8))
    }

    private static func isMapped(_ bytes: [UInt8]) -> Bool {
        bytes.prefix(12).elementsEqual([UInt8](repeating: 0, count: 10) + [255, 255])
    }
}
