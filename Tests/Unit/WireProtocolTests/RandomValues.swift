import TestSupport
import WireProtocol

extension JSONValue {
    /// A tree of at most `depth` levels, with awkward texts and numbers in it.
    static func random(depth: Int, using generator: inout SeededGenerator) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 8 : 6), using: &generator) {
        case 0: return .null
        case 1: return .bool(Bool.random(using: &generator))
        case 2: return .integer(Int64.random(in: .min ... .max, using: &generator))
        case 3: return .integer(Int64.random(in: -3...1000, using: &generator))
        case 4: return .number(Double.randomFinite(using: &generator))
        case 5: return .string(.random(using: &generator))
        case 6:
            return .array(
                (0..<Int.random(in: 0...5, using: &generator)).map { _ in .random(depth: depth - 1, using: &generator) }
            )
        default:
            var object = JSONObject()
            for _ in 0..<Int.random(in: 0...24, using: &generator) {
                object[.random(using: &generator)] = .random(depth: depth - 1, using: &generator)
            }
            return .object(object)
        }
    }
}

extension Double {
    /// Any finite bit pattern, so mostly very large and very small.
    static func randomFinite(using generator: inout SeededGenerator) -> Double {
        while true {
            let value = Double(bitPattern: generator.next())
            if value.isFinite { return value }
        }
    }

    /// What a machine measures: whole numbers, few decimals, ratios.
    static func randomFigure(using generator: inout SeededGenerator) -> Double {
        let whole = Int64.random(in: -1_000_000_000_000_000...1_000_000_000_000_000, using: &generator)
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: return Double(whole)
        case 1: return Double(whole % 1_000_000) / 1000
        case 2: return Double(whole % 100) / 10
        case 3: return Double(whole) / 7
        case 4: return Double(whole % 1000) / 1_000_000
        default: return randomFinite(using: &generator)
        }
    }
}

extension String {
    static func random(using generator: inout SeededGenerator) -> String {
        let pieces = [
            "a", "type", "\"", "\\", "\n", "\u{0}", "\u{1F}", "\u{7F}", "é", "e\u{301}", "☃", "🙂", "\u{2028}", "/",
            "\u{FFFF}",
            "\u{10FFFF}", "😀👨‍👩‍👧", "x\t",
        ]
        let count = Int.random(in: 0...6, using: &generator)
        return (0..<count).map { _ in pieces[Int.random(in: 0..<pieces.count, using: &generator)] }.joined()
    }
}
