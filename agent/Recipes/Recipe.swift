package import DriverKit
package import WireProtocol

/// A named, versioned script that sets a guest up, as it lies on this node and was judged.
package struct Recipe: Sendable {
    /// The verb that sets the guest up; the others are what can be done to one that is set up.
    package static let install = "install"

    package let name: String
    package let version: String
    /// One line for people.
    package let summary: String
    /// The systems it was written for, as their `os-release` says: `debian-12`.
    package let systems: [String]
    /// By their names, `install` among them.
    package let verbs: [String: RecipeVerb]
    /// Where it lies.
    package let folder: String

    package func verb(_ name: String) throws(DriverError) -> RecipeVerb {
        guard let verb = verbs[name] else {
            let known = verbs.keys.sorted().joined(separator: ", ")
            throw DriverError(.notFound, "recipe \(self.name) has no verb \(name.prefix(64)), but \(known)")
        }
        return verb
    }
}

/// One thing that a recipe does.
package struct RecipeVerb: Sendable {
    package let name: String
    package let summary: String
    /// What it takes, those that are secret included.
    package let parameters: [RecipeParameter]
    package let returns: [RecipeReturn]
    /// Of its script; a check has `RecipeVerb.checkLimit`.
    package let limit: Duration
    /// Whether the guest may be different afterwards. One that says no is a look.
    package let changes: Bool
    package let script: [UInt8]
    /// Tells, before and after, whether the guest is as wanted; only what sets up has one.
    package let check: [UInt8]?

    package static let checkLimit = Duration.seconds(120)

    package var open: [Argument] { parameters.filter { !$0.isSecret }.map(\.argument) }
    package var secret: [Argument] { parameters.filter(\.isSecret).map(\.argument) }

    /// The values as the script gets them, each by its form.
    /// - Throws: `invalidArgument` that names the parameter; a secret's value is never quoted.
    package func reading(
        _ given: JSONObject, secrets: JSONObject
    ) throws(DriverError) -> [(name: String, value: String)] {
        let spec = ActionSpec(name, .mutate, summary: summary).taking(open, secrets: secret)
        let read = try spec.reading(ActionCall(action: name, resource: "", arguments: given, secrets: secrets))
        return parameters.map { parameter in
            let values = parameter.isSecret ? read.secrets : read.arguments
            return (parameter.argument.name, values[parameter.argument.name].map(Self.word) ?? "")
        }
    }

    /// As a script writes it: numbers plainly, yes and no as `1` and nothing.
    private static func word(_ value: JSONValue) -> String {
        if let isOn = value.asBool { return isOn ? "1" : "" }
        return value.asString ?? value.text
    }
}

/// What a verb takes.
package struct RecipeParameter: Sendable {
    package let argument: Argument
    package let isSecret: Bool
}

/// What a verb gives back.
package struct RecipeReturn: Sendable {
    package let name: String
    package let help: String
    package let isSecret: Bool
}

extension Recipe {
    /// As a list shows it.
    package var json: JSONObject {
        [
            "recipe": .string(name), "version": .string(version), "summary": .string(summary),
            "systems": .array(systems.map(JSONValue.string)), "folder": .string(folder),
            "verbs": .object(JSONObject(verbs.values.sorted { $0.name < $1.name }.map { ($0.name, .object($0.json)) })),
        ]
    }
}

extension RecipeVerb {
    fileprivate var json: JSONObject {
        [
            "summary": .string(summary), "changes": .bool(changes), "limit_s": .integer(limit.components.seconds),
            "parameters": .object(open.schema), "secrets": .object(secret.schema),
            "returns": .object(
                JSONObject(
                    returns.map { ($0.name, ["description": .string($0.help), "secret": .bool($0.isSecret)]) })),
        ]
    }
}
