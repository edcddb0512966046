import Synchronization

/// Names for new things: a prefix that says what it is, then 26 characters that sort by the time of making.
package enum Identifier {
    /// `op_01k2…`: 48 bits of milliseconds and 80 random bits in Crockford's base 32, lower case.
    ///
    /// Within a process each is greater than the last, even when the clock steps back. Unguessable enough for a name,
    /// not a secret.
    package static func make(_ prefix: String) -> String {
        let next = last.withLock { state in
            state.advance(to: UInt64(clamping: Timestamp.now().milliseconds))
            return state
        }
        return "\(prefix)_\(next.text)"
    }

    /// What the ids of things begin with that somebody else could name too.
    package static let reservedPrefixes: Set<String> = [
        "aud", "err", "ev", "gap", "key", "look", "nod", "node", "op", "ses", "svc", "tok",
    ]

    /// Whether a text has the form of an id of ours. A name that somebody else gives must not have it: it would stand for
    /// one thing and be read as another.
    package static func isReserved(_ text: String) -> Bool {
        let parts = text.split(separator: "_", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].utf8.count == 26, reservedPrefixes.contains(parts[0].lowercased()) else {
            return false
        }
        return parts[1].utf8.allSatisfy { $0.isAlphanumeric }
    }

    private static let last = Mutex(Ticket(high: 0, low: 0))

    /// 128 bits: 48 of time and 16 random in `high`, 64 random in `low`.
    private struct Ticket {
        var high: UInt64
        var low: UInt64

        mutating func advance(to milliseconds: UInt64) {
            if milliseconds > high >> 16 {
                // The top random bit stays clear so that counting up within a millisecond cannot run out.
                high = milliseconds << 16 | UInt64.random(in: 0..<0x8000)
                low = UInt64.random(in: 0 ... .max)
            } else {
                let (sum, carry) = low.addingReportingOverflow(UInt64.random(in: 1...0xFFFF_FFFF))
                low = sum
                if carry { high &+= 1 }
            }
        }

        var text: String {
            var bits = (high: high, low: low)
            var characters = [UInt8](repeating: 0, count: 26)
            for place in characters.indices.reversed() {
                characters[place] = alphabet[Int(bits.low & 31)]
                bits.low = bits.low >> 5 | bits.high << 59
                bits.high >>= 5
            }
            return String(decoding: characters, as: UTF8.self)
        }
    }

    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)
}
