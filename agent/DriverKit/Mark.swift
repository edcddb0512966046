import Model
package import WireProtocol

/// Whose a thing is: the service that it was made for, and what tells its making from every other.
///
/// A thing that bears another's mark is never changed, stopped or removed, whatever its name or number says.
package struct Mark: Sendable, Hashable {
    package let service: String
    /// Nil in a call that leaves it to the driver, and on what was made before marks had one.
    package let nonce: String?

    package init(service: String, nonce: String? = nil) { (self.service, self.nonce) = (service, nonce) }

    /// With the command that makes the thing, where the call brings no nonce.
    package func made(by command: String) -> Mark { nonce == nil ? Mark(service: service, nonce: command) : self }

    /// Whether this mark, of a call, is the one that a thing bears.
    package func isBorne(by found: Mark) -> Bool {
        found.service == service && (nonce == nil || found.nonce == nil || found.nonce == nonce)
    }

    /// As results tell it.
    package var json: JSONValue {
        var json: JSONObject = ["service": .string(service)]
        json["nonce"] = nonce.map(JSONValue.string)
        return .object(json)
    }
}

extension Mark: CustomStringConvertible {
    package var description: String { nonce.map { "\(service) (\($0))" } ?? service }
}

extension Argument {
    /// Whose the thing is that is made or changed.
    package static let mark = markOfAdoption.optional
    /// Needed where something is given its mark.
    package static let markOfAdoption = record(
        "mark",
        [
            .text("service", .identifier, "whom it is for"),
            .text("nonce", .identifier, "of its making; the command that makes it without one").optional,
        ], "whose it is; what bears another's is left alone")
}

extension Mark {
    /// What a call gave as `mark`, read by the argument's form.
    init?(argument: JSONValue?) {
        guard let service = argument?["service"]?.asString else { return nil }
        self.init(service: service, nonce: argument?["nonce"]?.asString)
    }
}
