import WireProtocol

/// JSON values as YAML for people and for tools that read it: two spaces of indentation, fields in the order in which they
/// came. Text that any reader might take for something else stands in double quotes, where JSON's escapes are YAML's.
enum YAMLText {
    static func text(_ value: JSONValue) -> String { block(value, "").joined(separator: "\n") }

    /// The lines of a value that stands on lines of its own.
    private static func block(_ value: JSONValue, _ indent: String) -> [String] {
        switch value {
        case .object(let object) where !object.isEmpty:
            object.members.flatMap { field in entry(indent + scalar(.string(field.key)) + ":", field.value, indent) }
        case .array(let items) where !items.isEmpty:
            items.flatMap { item in self.item(item, indent) }
        default: [indent + scalar(value)]
        }
    }

    private static func entry(_ head: String, _ value: JSONValue, _ indent: String) -> [String] {
        isBlock(value) ? [head] + block(value, indent + "  ") : ["\(head) \(scalar(value))"]
    }

    /// An item's first line begins with the dash, in the place of two spaces.
    private static func item(_ value: JSONValue, _ indent: String) -> [String] {
        var lines = block(value, indent + "  ")
        lines[0] = indent + "- " + lines[0].dropFirst(indent.count + 2)
        return lines
    }

    private static func isBlock(_ value: JSONValue) -> Bool {
        switch value {
        case .object(let object): !object.isEmpty
        case .array(let items): !items.isEmpty
        default: false
        }
    }

    private static func scalar(_ value: JSONValue) -> String {
        guard case .string(let text) = value, isPlain(text) else { return value.printedText }
        return text
    }

    /// Words such as `web-1.example.org`; not what YAML 1.1 or 1.2 reads as a number, a time, a truth value or nothing.
    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.unicodeScalars.first, text.utf8.count <= 200 else { return false }
        let isLetter = ("a"..."z").contains(first) || ("A"..."Z").contains(first) || first == "/"
        let isSafe = text.unicodeScalars.allSatisfy { scalar in
            ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
                || "-_./@+".unicodeScalars.contains(scalar)
        }
        let words = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"]
        return isLetter && isSafe && !words.contains(text.lowercased())
    }
}
