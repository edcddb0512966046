import WireProtocol

extension JSONValue {
    /// Its text, with what a terminal would obey and what turns or hides writing as JSON's escapes (which are YAML's too): names
    /// and facts are what nodes and customers say.
    var printedText: String {
        let text = self.text
        guard text.unicodeScalars.contains(where: Self.isHidden) else { return text }
        // Only strings have such characters, so that an escape stands where one is read.
        return text.unicodeScalars.reduce(into: "") { printed, scalar in
            guard Self.isHidden(scalar) else { return printed.unicodeScalars.append(scalar) }
            for unit in String(scalar).utf16 {
                let digits = String(unit, radix: 16)
                printed += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
    }

    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned: scalar.value > 0x7E
        default: false
        }
    }
}
