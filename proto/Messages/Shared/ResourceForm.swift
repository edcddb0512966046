/// How the resource of an operation follows from its arguments, and these from it: `proxmox/ct/{vmid}`.
package struct ResourceForm: Sendable, Hashable {
    private enum Part: Sendable, Hashable {
        case text(String)
        case argument(String)
    }

    private let parts: [Part]

    /// Nil for a text that is no form: braces that do not close, or two arguments with nothing between them.
    package init?(_ text: String) {
        var parts: [Part] = []
        var rest = text[...]
        while !rest.isEmpty {
            let literal = rest.prefix { $0 != "{" && $0 != "}" }
            if !literal.isEmpty { parts.append(.text(String(literal))) }
            rest = rest.dropFirst(literal.count)
            guard !rest.isEmpty else { break }
            guard rest.first == "{", let end = rest.firstIndex(of: "}"), !literal.isEmpty || parts.isEmpty else {
                return nil
            }
            parts.append(.argument(String(rest[rest.index(after: rest.startIndex)..<end])))
            rest = rest[rest.index(after: end)...]
        }
        self.parts = parts
    }

    /// Nil when an argument is missing, or is neither text nor a whole number.
    package func resource(of arguments: JSONObject) -> String? {
        var text = ""
        for part in parts {
            switch part {
            case .text(let literal): text += literal
            case .argument(let name):
                guard let value = arguments[name]?.asString ?? arguments[name]?.asInteger.map(String.init),
                    !value.isEmpty
                else { return nil }
                text += value
            }
        }
        return text
    }

    /// What the arguments must be for this resource, as words; nil when it is none of this form. An argument ends where the
    /// text behind it begins, the last one with the resource.
    package func arguments(of resource: String) -> [(name: String, value: String)]? {
        var found: [(String, String)] = []
        var rest = resource[...]
        for (index, part) in parts.enumerated() {
            switch part {
            case .text(let literal):
                guard rest.hasPrefix(literal) else { return nil }
                rest = rest.dropFirst(literal.count)
            case .argument(let name):
                var value = rest
                if index + 1 < parts.count, case .text(let next) = parts[index + 1] {
                    guard let end = rest.indices.first(where: { rest[$0...].hasPrefix(next) }) else { return nil }
                    value = rest[..<end]
                }
                guard !value.isEmpty else { return nil }
                found.append((name, String(value)))
                rest = rest[value.endIndex...]
            }
        }
        return rest.isEmpty ? found : nil
    }
}
