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

    /// As people read it: with letters beyond ASCII. What is no punycode of such letters stays as it is.
    package static func unicode(_ name: String) -> String {
        name.split(separator: ".", omittingEmptySubsequences: false).map { label in
            guard label.hasPrefix("xn--"), let points = Punycode.decode(label.dropFirst(4).utf8) else {
                return String(label)
            }
            var text = String.UnicodeScalarView()
            for point in points {
                guard let scalar = Unicode.Scalar(point) else { return String(label) }
                text.append(scalar)
            }
            // What does not lead back hides something.
            return asciiLabel(String(text)) == String(label) ? String(text) : String(label)
        }.joined(separator: ".")
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

    /// Nil for what `encode` never gives.
    static func decode(_ input: Substring.UTF8View) -> [UInt32]? {
        let bytes = Array(input)
        let mark = bytes.lastIndex(of: UInt8(ascii: "-"))
        var output = (mark.map { Array(bytes[..<$0]) } ?? []).map { UInt32($0) }
        var (number, index, bias): (UInt32, UInt32, UInt32) = (128, 0, 72)
        var rest = bytes[(mark.map { $0 + 1 } ?? 0)...]
        while !rest.isEmpty {
            let before = index
            var (weight, place): (UInt32, UInt32) = (1, 36)
            while true {
                guard let digit = rest.popFirst().flatMap(value) else { return nil }
                let (step, isTooMuch) = digit.multipliedReportingOverflow(by: weight)
                guard !isTooMuch, index <= .max - step else { return nil }
                index += step
                let threshold = place <= bias ? 1 : min(place - bias, 26)
                if digit < threshold { break }
                let (heavier, isTooHeavy) = weight.multipliedReportingOverflow(by: 36 - threshold)
                guard !isTooHeavy else { return nil }
                (weight, place) = (heavier, place + 36)
            }
            let count = UInt32(output.count) + 1
            bias = adapted(index - before, count, isFirst: before == 0)
            guard number <= .max - index / count else { return nil }
            number += index / count
            index %= count
            output.insert(number, at: Int(index))
            index += 1
        }
        return output
    }

    private static func value(_ letter: UInt8) -> UInt32? {
        switch letter {
        case 0x61...0x7A: UInt32(letter - 0x61)
        case 0x30...0x39: UInt32(letter - 0x30) + 26
        default: nil
        }
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
