import WireProtocol

/// Whose reading of plain scalars counts. What a document holds is the same to both; what `yes` or `0o17` means is not.
package enum YAMLSchema: Sendable, Hashable, CaseIterable {
    /// YAML 1.1 as PyYAML has it: docker-compose 1.29.
    case pyYAML
    /// YAML 1.2 with leftovers of 1.1 as Go's yaml.v3 has it: docker compose, Helm.
    case goYAML
    /// What both read alike; anything else is refused.
    case both

    static let prefix = "tag:yaml.org,2002:"

    struct Refusal: Error {
        let words: String

        init(_ words: String) { self.words = words }
    }

    func value(_ text: String, _ style: YAMLStyle, tag: String?) throws(Refusal) -> JSONValue {
        guard let tag else {
            switch style {
            case .plain: return try resolve(text)
            case .text: return .string(text)
            case .untyped: throw Refusal("has the tag !, which readers of YAML take differently")
            }
        }
        let value: JSONValue
        if tag == Self.prefix + "str" { return .string(text) }
        if [Self.prefix + "int", Self.prefix + "float", Self.prefix + "bool", Self.prefix + "null"].contains(tag) {
            value = try resolve(text)
        } else {
            throw Refusal("has the tag \(YAMLReader.short(tag)), which is not taken")
        }
        switch (String(tag.dropFirst(Self.prefix.count)), value) {
        case ("int", .integer), ("float", .number), ("bool", .bool), ("null", .null): return value
        case ("float", .integer(let whole)): return .number(Double(whole))
        default: throw Refusal("is not what its tag says")
        }
    }

    /// What a plain scalar means.
    func resolve(_ text: String) throws(Refusal) -> JSONValue {
        switch self {
        case .pyYAML: return try PlainScalar(text).asPyYAML()
        case .goYAML: return try PlainScalar(text).asGoYAML()
        case .both:
            let (old, new) = (try PlainScalar(text).asPyYAML(), try PlainScalar(text).asGoYAML())
            guard old == new else {
                let (old, new) = (YAMLReader.short(old.text), YAMLReader.short(new.text))
                throw Refusal("means \(old) to docker-compose 1.29 and \(new) to docker compose: put it in quotes")
            }
            return new
        }
    }

    /// Whether every reader takes a plain scalar for the text that it is.
    static func isText(_ text: String) -> Bool { (try? both.resolve(text)) == .string(text) }
}
