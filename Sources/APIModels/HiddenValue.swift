package import WireProtocol

/// A value that goes in and never comes out. In its place an answer has `text`, and who sends that back keeps the value that
/// is there.
package enum HiddenValue {
    /// What stands for it.
    package static let text = "********"
}

extension JSONValue {
    private static let secretNames: Set<String> = [
        "api_key", "passphrase", "passwd", "password", "private_key", "secret", "secrets", "token",
    ]

    /// With what stands under a name of secrets hidden, however deep it lies.
    package var withHiddenSecrets: JSONValue {
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
    package var withoutSecrets: JSONValue {
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

    /// With its texts and numbers hidden. Whether there is something is no secret.
    package var hidden: JSONValue {
        switch self {
        case .object(let object): .object(JSONObject(object.members.map { ($0.key, $0.value.hidden) }))
        case .array(let items): .array(items.map(\.hidden))
        case .string, .integer, .number: .string(HiddenValue.text)
        case .bool, .null: self
        }
    }
}
