/// The grammar of `key=value` lines.
package enum Logfmt {
    /// A value, quoted where it holds anything that would end it or start another line.
    package static func value(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard text.isEmpty || scalars.contains(where: { escape($0) != nil || $0 == " " || $0 == "=" }) else {
            return text
        }
        var quoted = "\""
        for scalar in scalars {
            if let escaped = escape(scalar) { quoted += escaped } else { quoted.unicodeScalars.append(scalar) }
        }
        return quoted + "\""
    }

    /// A key without the characters that would end it.
    package static func key(_ text: String) -> String {
        let letters = text.unicodeScalars.map { scalar -> Character in
            let fits = scalar.isASCII && escape(scalar) == nil && scalar != " " && scalar != "="
            return fits ? Character(scalar) : "_"
        }
        return letters.isEmpty ? "_" : String(letters)
    }

    /// How a character is written that must not stand for itself: quotes, and whatever terminals and log shippers act on
    /// (C0, DEL, C1, Unicode's line separators, and what is invisible or turns the direction of the text around it).
    private static func escape(_ scalar: Unicode.Scalar) -> String? {
        switch scalar.value {
        case 0x22: "\\\""
        case 0x5C: "\\\\"
        case 0x0A: "\\n"
        case 0x0D: "\\r"
        case 0x09: "\\t"
        case ..<0x20, 0x7F...0x9F, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF:
            "\\u{\(String(scalar.value, radix: 16))}"
        default: nil
        }
    }
}
