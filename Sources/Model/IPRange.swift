/// Addresses of one family, from the first to the last.
package struct IPRange: Sendable, Hashable, CustomStringConvertible {
    package let first: IPAddress
    package let last: IPAddress

    /// Nil where the two are of different families, or out of order.
    package init?(_ first: IPAddress, _ last: IPAddress) {
        guard first.family == last.family, first <= last else { return nil }
        self.first = first
        self.last = last
    }

    /// `192.0.2.10-192.0.2.20`, one address, or a prefix.
    package init?(_ text: some StringProtocol) {
        if let prefix = IPPrefix(text) {
            self = prefix.range
            return
        }
        let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map { IPAddress($0) }
        guard let first = ends.first ?? nil, let last = ends.last ?? nil else { return nil }
        self.init(first, last)
    }

    package var family: IPAddress.Family { first.family }
    package var numbers: ClosedRange<UInt128> { first.number...last.number }
    package func contains(_ address: IPAddress) -> Bool {
        address.family == family && numbers.contains(address.number)
    }
    package func contains(_ other: IPRange) -> Bool { contains(other.first) && contains(other.last) }
    package func overlaps(_ other: IPRange) -> Bool { family == other.family && numbers.overlaps(other.numbers) }
    package var description: String { first == last ? "\(first)" : "\(first)-\(last)" }
}

/// A network of addresses: `192.0.2.0/24`, `2001:db8::/64`.
package struct IPPrefix: Sendable, Hashable, CustomStringConvertible {
    /// The first address; all bits behind the length are 0.
    package let network: IPAddress
    package let length: Int

    /// Nil for an address with bits behind the length: it names a host, not a network.
    package init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let network = IPAddress(parts[0]), (1...3).contains(parts[1].utf8.count),
            parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let length = Int(parts[1]),
            length <= network.family.bits
        else { return nil }
        self.init(network, length: length)
    }

    package init?(_ network: IPAddress, length: Int) {
        self.network = network
        self.length = length
        guard (0...network.family.bits).contains(length), network.number & hostBits == 0 else { return nil }
    }

    private var hostBits: UInt128 {
        let bits = network.family.bits - length
        return bits == 128 ? .max : (1 << UInt128(bits)) - 1
    }

    package var range: IPRange { IPRange(network, last)! }
    package var last: IPAddress { IPAddress(network.family, network.number | hostBits)! }

    /// What no host may have: in IPv4 the first and the last address, where there are more than two (RFC 3021); in IPv6 the
    /// first, which means any router (RFC 4291).
    package var special: [IPAddress] {
        guard network.family.bits - length > 1 else { return [] }
        return network.family == .v4 ? [network, last] : [network]
    }

    package var description: String { "\(network)/\(length)" }
}
