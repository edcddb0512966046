/// An address of IPv4 or IPv6. Addresses of one family have an order, and the text of one address is always the same
/// (RFC 5952).
package struct IPAddress: Sendable, Hashable, Comparable, CustomStringConvertible {
    package enum Family: Sendable, Hashable {
        case v4, v6

        /// How long an address is.
        package var bits: Int { self == .v4 ? 32 : 128 }
        /// The number of the last address.
        package var last: UInt128 { self == .v4 ? 0xffff_ffff : .max }
    }

    package let family: Family
    /// The address as a number, the first byte being the highest.
    package let number: UInt128

    /// Nil where the family has no such address.
    package init?(_ family: Family, _ number: UInt128) {
        guard number <= family.last else { return nil }
        self.family = family
        self.number = number
    }

    /// `192.0.2.1` or `2001:db8::1`; no zone, no leading zeros in IPv4, no prefix length.
    package init?(_ text: some StringProtocol) {
        if let number = Self.v4(text) {
            self.init(.v4, number)
        } else if text.utf8.count <= 45, let number = Self.v6(text) {
            self.init(.v6, number)
        } else {
            return nil
        }
    }

    package static func < (left: IPAddress, right: IPAddress) -> Bool {
        (left.family.bits, left.number) < (right.family.bits, right.number)
    }

    package var description: String {
        family == .v4 ? Self.bytes(number).suffix(4).map { "\($0)" }.joined(separator: ".") : sixText
    }

    private static func bytes(_ number: UInt128) -> [UInt8] {
        (0..<16).map { UInt8(truncatingIfNeeded: number >> UInt128(8 * (15 - $0))) }
    }

    private static func v4(_ text: some StringProtocol) -> UInt128? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var number: UInt128 = 0
        for part in parts {
            guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                part.utf8.count == 1 || part.utf8.first != 0x30, let byte = UInt8(part)
            else { return nil }
            number = number << 8 | UInt128(byte)
        }
        return number
    }
}

// MARK: IPv6

extension IPAddress {
    private static func v6(_ text: some StringProtocol) -> UInt128? {
        let halves = text.split(separator: "::", maxSplits: 2, omittingEmptySubsequences: false)
        guard halves.count <= 2, !halves.contains(where: { $0.hasPrefix(":") || $0.hasSuffix(":") }),
            let head = groups(halves[0], endsInFour: halves.count == 1),
            let tail = halves.count == 2 ? groups(halves[1], endsInFour: true) : []
        else { return nil }
        let missing = 8 - head.count - tail.count
        // The two colons stand for one group of zeros at least.
        guard halves.count == 2 ? missing >= 1 : missing == 0 else { return nil }
        return (head + Array(repeating: 0, count: missing) + tail).reduce(0) { $0 << 16 | UInt128($1) }
    }

    /// Groups of four digits, the last two of which may be an IPv4 address at the end of the whole.
    private static func groups(_ text: some StringProtocol, endsInFour: Bool) -> [UInt16]? {
        guard !text.isEmpty else { return [] }
        var groups: [UInt16] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if endsInFour, index == parts.count - 1, let four = v4(part) {
                groups += [UInt16(four >> 16), UInt16(truncatingIfNeeded: four)]
                continue
            }
            guard (1...4).contains(part.utf8.count), part.utf8.first != UInt8(ascii: "+"),
                let group = UInt16(part, radix: 16)
            else { return nil }
            groups.append(group)
        }
        return groups
    }

    private var sixText: String {
        let groups = (0..<8).map { UInt16(truncatingIfNeeded: number >> UInt128(16 * (7 - $0))) }
        func text(_ part: some Sequence<UInt16>) -> String {
            part.map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard let zeros = Self.longestZeros(groups) else { return text(groups) }
        return "\(text(groups[..<zeros.lowerBound]))::\(text(groups[zeros.upperBound...]))"
    }

    /// The longest run of two or more groups of zeros, the first of them.
    private static func longestZeros(_ groups: [UInt16]) -> Range<Int>? {
        var (best, start): (Range<Int>?, Int?) = (nil, nil)
        for index in 0...groups.count {
            if index < groups.count, groups[index] == 0 {
                start = start ?? index
                continue
            }
            if let first = start, index - first > max(1, best?.count ?? 0) { best = first..<index }
            start = nil
        }
        return best
    }
}
