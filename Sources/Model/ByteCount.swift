/// An amount of memory or disk, never negative.
package struct ByteCount: Sendable, Hashable, Comparable {
    package let bytes: Int64

    /// Nil when negative.
    package init?(_ bytes: Int64) {
        guard bytes >= 0 else { return nil }
        self.bytes = bytes
    }

    /// Reads `1048576`, `512MiB`, `2G`, `1.5 TiB`, `500MB`.
    ///
    /// `K M G T P` and `KiB …` are powers of 1024, as Docker and ZFS read them; `KB MB GB TB PB` are powers of 1000.
    /// Case does not matter. The amount must come out as a whole number of bytes.
    package init(parsing text: String) throws(GrammarError) {
        guard let amount = Self.amount(of: text) else {
            throw GrammarError(
                field: "size", value: text,
                expectation: "a size such as 1048576, 512MiB or 2G, of a whole number of bytes below 8 EiB")
        }
        bytes = amount
    }

    package static func < (left: ByteCount, right: ByteCount) -> Bool { left.bytes < right.bytes }

    private static func amount(of text: String) -> Int64? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
        let parts = digits.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let scale = scales[unit], let first = parts.first, let whole = Int64(first) else { return nil }
        let (scaled, overflow) = whole.multipliedReportingOverflow(by: scale)
        guard !overflow else { return nil }
        guard parts.count == 2 else { return scaled }
        guard let rest = fraction(String(parts[1]), of: scale) else { return nil }
        let (sum, spilled) = scaled.addingReportingOverflow(rest)
        return spilled ? nil : sum
    }

    /// The bytes of `0.digits` units; nil unless whole.
    private static func fraction(_ digits: String, of scale: Int64) -> Int64? {
        guard (1...3).contains(digits.count), let numerator = Int64(digits), numerator >= 0 else { return nil }
        let denominator: Int64 = [10, 100, 1000][digits.count - 1]
        let (product, overflow) = numerator.multipliedReportingOverflow(by: scale)
        guard !overflow, product % denominator == 0 else { return nil }
        return product / denominator
    }

    private static let scales: [String: Int64] = {
        var scales: [String: Int64] = ["": 1, "b": 1]
        for (power, letter) in ["k", "m", "g", "t", "p"].enumerated() {
            let binary: Int64 = 1 << (10 * Int64(power + 1))
            scales[letter] = binary
            scales[letter + "ib"] = binary
            scales[letter + "b"] = (0...power).reduce(1) { product, _ in product * 1000 }
        }
        return scales
    }()
}

extension ByteCount: CustomStringConvertible {
    /// Exact, in the largest unit that divides it: `512MiB`, `1536KiB`, `1001`. Parses back to the same amount.
    package var description: String {
        guard bytes > 0 else { return "0" }
        let power = min(bytes.trailingZeroBitCount / 10, 5)
        return "\(bytes >> (10 * Int64(power)))\(["", "KiB", "MiB", "GiB", "TiB", "PiB"][power])"
    }

    /// For people, rounded down to one decimal: `1.4 GiB`.
    package var rounded: String {
        let power = min((Int64.bitWidth - 1 - max(bytes, 1).leadingZeroBitCount) / 10, 5)
        guard power > 0 else { return "\(bytes) B" }
        let unit: Int64 = 1 << (10 * Int64(power))
        let tenths = (bytes % unit) * 10 / unit
        return "\(bytes / unit).\(tenths) \(["", "KiB", "MiB", "GiB", "TiB", "PiB"][power])"
    }
}
