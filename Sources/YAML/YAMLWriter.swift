package import WireProtocol

/// Writes values of JSON as YAML that every reader reads alike: block collections, each text in double quotes.
package enum YAMLWriter {
    package static func write(_ value: JSONValue) -> String {
        var text = ""
        switch value {
        case .object(let object) where !object.isEmpty: write(object, 0, &text)
        case .array(let values) where !values.isEmpty: write(values, 0, &text)
        default: text = scalar(value) + "\n"
        }
        return text
    }

    private static func write(_ object: JSONObject, _ indent: Int, _ text: inout String) {
        let margin = String(repeating: " ", count: indent)
        for member in object.members {
            text += margin + key(member.key) + ":"
            follow(member.value, indent + 2, &text)
        }
    }

    private static func write(_ values: [JSONValue], _ indent: Int, _ text: inout String) {
        let margin = String(repeating: " ", count: indent)
        for value in values {
            text += margin + "-"
            follow(value, indent + 2, &text)
        }
    }

    /// Behind a key or a dash.
    private static func follow(_ value: JSONValue, _ indent: Int, _ text: inout String) {
        switch value {
        case .object(let object) where !object.isEmpty:
            text += "\n"
            write(object, indent, &text)
        case .array(let values) where !values.isEmpty:
            text += "\n"
            write(values, indent, &text)
        default: text += " " + scalar(value) + "\n"
        }
    }

    private static func key(_ name: String) -> String {
        let isPlain =
            name.utf8.first.map { $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A } ?? false
            && name.utf8.allSatisfy {
                Character(Unicode.Scalar($0)).isLetter && $0 < 0x80 || "0123456789_-.".utf8.contains($0)
            }
            && YAMLSchema.isText(name) && !["y", "n"].contains(name.lowercased())
        return isPlain ? name : quoted(name)
    }

    private static func scalar(_ value: JSONValue) -> String {
        switch value {
        case .string(let text): quoted(text)
        case .object: "{}"
        case .array: "[]"
        case .number(let number): fraction(number)
        case .null, .bool, .integer: value.text
        }
    }

    /// With a dot and a signed exponent: without them one reader sees a whole number, another a text.
    private static func fraction(_ number: Double) -> String {
        let text = number.description
        guard let exponent = text.firstIndex(of: "e"), !text.contains(".") else { return text }
        return text[..<exponent] + ".0" + text[exponent...]
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22, 0x5C: result += "\\" + String(scalar)
            case 0x0A: result += "\\n"
            case 0x09: result += "\\t"
            case 0x20...0x7E, 0xA0...0x2027, 0x202A...0xD7FF, 0xE000...0xFEFE, 0xFF00...0xFFFD:
                result.unicodeScalars.append(scalar)
            default:
                let digits = String(scalar.value, radix: 16)
                let width = scalar.value > 0xFFFF ? 8 : 4
                result += (width == 8 ? "\\U" : "\\u") + String(repeating: "0", count: width - digits.count) + digits
            }
        }
        return result + "\""
    }
}
