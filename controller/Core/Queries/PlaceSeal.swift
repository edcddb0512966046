import Transport

/// Numbers as text that tells nothing of them, for as long as the process lives: a Feistel network over their 64 bits.
struct PlaceSeal: Sendable {
    private let key: [UInt8]
    private static let rounds: Range<UInt8> = 0..<8

    /// With a key of its own.
    init() { key = Crypto.randomBytes(32) }

    func text(_ number: UInt64) -> String {
        var (left, right) = (UInt32(truncatingIfNeeded: number >> 32), UInt32(truncatingIfNeeded: number))
        for round in Self.rounds { (left, right) = (right, left ^ mixed(right, round)) }
        return String(UInt64(left) << 32 | UInt64(right), radix: 36)
    }

    /// Nil for what is no sealed number.
    func number(_ text: String) -> UInt64? {
        guard let sealed = UInt64(text, radix: 36) else { return nil }
        var (left, right) = (UInt32(truncatingIfNeeded: sealed >> 32), UInt32(truncatingIfNeeded: sealed))
        for round in Self.rounds.reversed() { (left, right) = (right ^ mixed(left, round), left) }
        return UInt64(left) << 32 | UInt64(right)
    }

    private func mixed(_ half: UInt32, _ round: UInt8) -> UInt32 {
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: half >> ($0 * 8)) }
        return Crypto.hmacSHA256(key: key, [round] + bytes).prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }
}
