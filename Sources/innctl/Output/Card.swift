import WireProtocol

/// Names and values of one thing, one pair a line.
struct Card {
    private var lines: [(name: String, value: String)] = []

    mutating func add(_ name: String, _ value: String?) {
        guard let value, !value.isEmpty else { return }
        lines.append((name, Terminal.clean(value)))
    }

    /// What a JSON object says, its members indented below a line with `name`.
    mutating func add(_ name: String, tree value: JSONValue?) {
        guard let members = value?.asObject?.members, !members.isEmpty else {
            return add(name, value.map { Readable.value($0, named: name) })
        }
        lines.append((name, ""))
        for member in members { add("  " + Terminal.clean(Readable.words(member.key)), member.value, key: member.key) }
    }

    private mutating func add(_ name: String, _ value: JSONValue, key: String) {
        switch value {
        case .object(let object):
            guard !object.isEmpty else { return }
            lines.append((name, ""))
            let indent = String(name.prefix { $0 == " " }) + "  "
            for member in object.members {
                add(indent + Terminal.clean(Readable.words(member.key)), member.value, key: member.key)
            }
        default: lines.append((name, Terminal.clean(Readable.value(value, named: key))))
        }
    }

    var text: String {
        let width = lines.filter { !$0.value.isEmpty }.map(\.name.count).max() ?? 0
        return lines.map { line in
            guard !line.value.isEmpty else { return line.name + ":" }
            // A further line of a value, which may be a node's word, must not pass for a line of the card.
            let indent = String(repeating: " ", count: width + 2)
            return line.name + ":" + String(repeating: " ", count: max(1, width - line.name.count + 1))
                + line.value.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
                .joined(separator: "\n" + indent)
        }.joined(separator: "\n")
    }
}
