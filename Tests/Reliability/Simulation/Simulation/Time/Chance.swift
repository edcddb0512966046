/// Random numbers that follow from a seed and a purpose, so that one part's draws do not move another's.
package struct Chance: Sendable {
    private var state: UInt64

    package init(seed: UInt64, for purpose: String) {
        state = purpose.utf8.reduce(seed &* 0x9E37_79B9_7F4A_7C15 ^ 0x5DEE_CE66D) {
            ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3
        }
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// 0..<limit.
    package mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(max(1, limit))) }

    /// True in `part` of all cases, 0...1.
    package mutating func happens(_ part: Double) -> Bool { Double(next() >> 11) < part * Double(1 << 53) }

    package mutating func between(_ low: Moment, _ high: Moment) -> Moment {
        low + Moment(next() % UInt64(max(1, high - low)))
    }

    /// Mostly short, seldom long: the mean of an exponential spread, in the unit of the mean.
    package mutating func around(_ mean: Moment) -> Moment {
        var sum: Moment = 0
        while happens(0.7), sum < mean * 8 { sum += between(0, mean) }
        return sum + between(0, mean / 2 + 1)
    }

    package mutating func pick<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }
}

/// Nanoseconds of virtual time since the seed's start.
package typealias Moment = Int64

extension Moment {
    package static func microseconds(_ count: Int64) -> Moment { count * 1000 }
    package static func milliseconds(_ count: Int64) -> Moment { count * 1_000_000 }
    package static func seconds(_ count: Int64) -> Moment { count * 1_000_000_000 }

    var text: String {
        let micro = self / 1000
        let rest = String(micro % 1_000_000)
        return "\(micro / 1_000_000).\(String(repeating: "0", count: 6 - rest.count))\(rest)"
    }
}
