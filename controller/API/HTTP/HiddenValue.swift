import APIModels
import ControllerCore
import WireProtocol

/// Variables of a container's environment hold passwords: their values go in and never come out. In their place an answer
/// has `text`, and who sends that back keeps the value that is there.
enum HiddenValue {
    static let text = "********"
}

extension JSONObject {
    /// A specification as an answer shows it.
    var withHiddenValues: JSONObject {
        var shown = self
        if let environment = self["env"]?.asObject {
            shown["env"] = .object(JSONObject(environment.members.map { ($0.key, .string(HiddenValue.text)) }))
        }
        return shown
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
    private var hidden: JSONValue {
        switch self {
        case .object(let object): .object(JSONObject(object.members.map { ($0.key, $0.value.hidden) }))
        case .array(let items): .array(items.map(\.hidden))
        case .string, .integer, .number: .string(HiddenValue.text)
        case .bool, .null: self
        }
    }
}

extension [String: String] {
    /// With the values of `known` where a hidden one was sent back.
    func revealed(from known: JSONObject?, field: String) throws(CoreError) -> [String: String] {
        var revealed = self
        for (name, value) in self where value == HiddenValue.text {
            guard let present = known?["env"]?[name]?.asString else {
                throw .invalid(field: "\(field).\(name)", problem: "stands for a hidden value, and there is none")
            }
            revealed[name] = present
        }
        return revealed
    }
}
