import APIModels
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

extension [String: String] {
    /// With the values of `known` where a hidden one was sent back.
    func revealed(from known: JSONObject?, field: String) throws(Problem) -> [String: String] {
        var revealed = self
        for (name, value) in self where value == HiddenValue.text {
            guard let present = known?["env"]?[name]?.asString else {
                throw Problem(
                    .invalidField, "\(field).\(name) stands for a hidden value, and there is none",
                    field: "\(field).\(name)")
            }
            revealed[name] = present
        }
        return revealed
    }
}
