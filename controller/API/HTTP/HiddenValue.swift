import APIModels
import ControllerCore
import WireProtocol

/// Some fields of a product hold passwords: their values go in and never come out. In their place an answer has `text`, and who
/// sends that back keeps the value that is there.
enum HiddenValue {
    static let text = "********"
}

extension Catalogue {
    /// A specification as an answer shows it. Of a product that this version does not know nobody can say what is secret.
    func shown(_ spec: JSONObject, of product: String) -> JSONObject {
        guard let specification = self.product(product)?.specification else { return [:] }
        return specification.secrets.reduce(into: spec) { shown, field in
            shown[field] = spec[field]?.hidden
        }
    }

    /// With the values of `known` where a hidden one was sent back; fields that are null stand for none.
    func revealed(
        _ fields: JSONObject, of product: String?, from known: JSONObject?, path: String
    ) throws(CoreError) -> JSONObject {
        var revealed = fields.withoutNulls
        for field in self.product(product ?? standard)?.specification.secrets ?? [] {
            let here = path.isEmpty ? field : "\(path).\(field)"
            revealed[field] = try revealed[field]?.revealed(from: known?[field], field: here)
        }
        return revealed
    }
}

extension JSONObject {
    fileprivate var withoutNulls: JSONObject {
        JSONObject(
            members.filter { !$0.value.isNull }.map { member in
                (member.key, member.value.asObject.map { .object($0.withoutNulls) } ?? member.value)
            })
    }
}

extension JSONValue {
    private static let secretNames: Set<String> = [
        "api_key", "passphrase", "passwd", "password", "private_key", "secret", "secrets", "token",
    ]

    /// With what stands under a name of secrets hidden, however deep it lies.
    var withHiddenSecrets: JSONValue {
        switch self {
        case .object(let object):
            .object(
                JSONObject(
                    object.members.map { member in
                        (member.key, Self.isSecret(member.key) ? member.value.hidden : member.value.withHiddenSecrets)
                    }))
        case .array(let items): .array(items.map(\.withHiddenSecrets))
        default: self
        }
    }

    /// Without what stands under a name of secrets, however deep it lies. What is hidden already stays.
    var withoutSecrets: JSONValue {
        switch self {
        case .object(let object):
            .object(
                JSONObject(
                    object.members.compactMap { member in
                        if Self.isSecret(member.key), member.value != member.value.hidden { return nil }
                        return (member.key, member.value.withoutSecrets)
                    }))
        case .array(let items): .array(items.map(\.withoutSecrets))
        default: self
        }
    }

    private static func isSecret(_ name: String) -> Bool {
        let name = name.lowercased()
        return secretNames.contains(name) || secretNames.contains { name.hasSuffix("_\($0)") }
    }

    /// Whether there is something is no secret.
    fileprivate var hidden: JSONValue {
        switch self {
        case .object(let object): .object(JSONObject(object.members.map { ($0.key, $0.value.hidden) }))
        case .array(let items): .array(items.map(\.hidden))
        case .string, .integer, .number: .string(HiddenValue.text)
        case .bool, .null: self
        }
    }
}

extension JSONValue {
    /// Texts, however deep they lie.
    fileprivate func revealed(from known: JSONValue?, field: String) throws(CoreError) -> JSONValue {
        if case .object(var object) = self {
            for key in object.keys {
                object[key] = try object[key]?.revealed(from: known?[key], field: "\(field).\(key)")
            }
            return .object(object)
        }
        guard self == .string(HiddenValue.text) else { return self }
        guard let known, known.asString != nil else {
            throw .invalid(field: field, problem: "stands for a hidden value, and there is none")
        }
        return known
    }
}
