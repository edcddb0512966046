/// An Ethernet address of one network device.
package struct MACAddress: Sendable, Hashable, CustomStringConvertible {
    /// 48 bits.
    package let number: UInt64

    /// `02:69:6e:00:00:01`, in either case.
    package init?(_ text: some StringProtocol) {
        guard let bytes = Self.bytes(text), bytes.count == 6 else { return nil }
        number = bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    fileprivate init(number: UInt64) { self.number = number }

    package var description: String { Self.text(number, bytes: 6) }

    fileprivate static func bytes(_ text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        for part in text.split(separator: ":", omittingEmptySubsequences: false) {
            guard part.utf8.count == 2, part.utf8.first != UInt8(ascii: "+"), let byte = UInt8(part, radix: 16) else {
                return nil
            }
            bytes.append(byte)
        }
        return bytes
    }

    fileprivate static func text(_ number: UInt64, bytes count: Int) -> String {
        (0..<count).map { place in
            let byte = number >> UInt64(8 * (count - 1 - place)) & 0xff
            return (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }.joined(separator: ":")
    }
}

/// The beginning of the addresses that we give to devices of guests: three bytes, of an address that nobody else can have
/// been given for good (locally administered) and that means one device (not a group).
package struct MACPrefix: Sendable, Hashable, CustomStringConvertible {
    private let number: UInt64

    package static let standard = MACPrefix("02:69:6e")!

    /// `02:69:6e`: the second digit is 2, 6, a or e.
    package init?(_ text: some StringProtocol) {
        guard let bytes = MACAddress.bytes(text), bytes.count == 3, bytes[0] & 3 == 2 else { return nil }
        number = bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The address for a device, the same each time. Two devices may come to the same one: then `attempt` makes another.
    package func address(for device: String, attempt: Int = 0) -> MACAddress {
        // FNV-1a: spread, not secrecy.
        let hash = "\(device)\u{0}\(attempt)".utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
            ($0 ^ UInt64($1)) &* 0x100_0000_01b3
        }
        return MACAddress(number: number << 24 | (hash ^ hash >> 24 ^ hash >> 48) & 0xff_ffff)
    }

    package var description: String { MACAddress.text(number, bytes: 3) }
}
