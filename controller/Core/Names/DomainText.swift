/// Domains as people write them. Pure.
package enum DomainText {
    /// In lower case, with letters beyond ASCII as punycode, without a dot at the end; nil for what is no name of DNS.
    package static func ascii(_ text: String) -> String? {
        guard text.utf8.count <= 512 else { return nil }
        var labels: [String] = []
        let dots: Set<Character> = [".", "\u{3002}", "\u{FF0E}", "\u{FF61}"]
        for label in text.lowercased().split(omittingEmptySubsequences: false, whereSeparator: dots.contains) {
            guard let ascii = asciiLabel(String(label)) else { return nil }
            labels.append(ascii)
        }
        if labels.last == "" { labels.removeLast() }
        return labels.isEmpty ? nil : labels.joined(separator: ".")
    }

    private static func asciiLabel(_ label: String) -> String? {
        if label.utf8.allSatisfy({ $0 < 0x80 }) { return label }
        let scalars = label.unicodeScalars.map { $0 }
        // Marks of writing direction, controls and the like would make two names look like one.
        guard scalars.allSatisfy({ isLetterLike($0) }), let encoded = Punycode.encode(scalars.map(\.value)) else {
            return nil
        }
        return "xn--\(encoded)"
    }

    private static func isLetterLike(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .lowercaseLetter, .otherLetter, .modifierLetter, .nonspacingMark, .spacingMark, .decimalNumber: true
        default: scalar == "-"
        }
    }
}

/// RFC 3492.
enum Punycode {
    /// Nil when numbers grow too large.
    static func encode(_ input: [UInt32]) -> String? {
        var output = input.filter { $0 < 0x80 }.map { UInt8($0) }
        let basic = UInt32(output.count)
        if basic > 0 { output.append(UInt8(ascii: "-")) }
        var (number, delta, bias, handled): (UInt32, UInt32, UInt32, UInt32) = (128, 0, 72, basic)
        while handled < UInt32(input.count) {
            guard let next = input.filter({ $0 >= number }).min() else { return nil }
            let (step, isTooMuch) = (next - number).multipliedReportingOverflow(by: handled + 1)
            guard !isTooMuch, delta <= .max - step else { return nil }
            (delta, number) = (delta + step, next)
            for point in input {
                if point < number { delta += 1 }
                guard point == number else { continue }
                output += digits(of: delta, bias)
                bias = adapted(delta, handled + 1, isFirst: handled == basic)
                (delta, handled) = (0, handled + 1)
            }
            (delta, number) = (delta + 1, number + 1)
        }
        return String(decoding: output, as: UTF8.self)
    }

    private static func digits(of delta: UInt32, _ bias: UInt32) -> [UInt8] {
        var (rest, place, digits): (UInt32, UInt32, [UInt8]) = (delta, 36, [])
        while true {
            let threshold = place <= bias ? 1 : min(place - bias, 26)
            if rest < threshold { break }
            digits.append(letter(threshold + (rest - threshold) % (36 - threshold)))
            rest = (rest - threshold) / (36 - threshold)
            place += 36
        }
        return digits + [letter(rest)]
    }

    private static func letter(_ digit: UInt32) -> UInt8 { UInt8(digit < 26 ? 0x61 + digit : 0x30 + digit - 26) }

    private static func adapted(_ delta: UInt32, _ count: UInt32, isFirst: Bool) -> UInt32 {
        var rest = isFirst ? delta / 700 : delta / 2
        rest += rest / count
        var place: UInt32 = 0
        while rest > 455 {
            rest /= 35
            place += 36
        }
        return place + 36 * rest / (rest + 38)
    }
}
