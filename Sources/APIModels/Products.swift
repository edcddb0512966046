package import WireProtocol

/// A kind of thing that can be sold.
package struct ProductView: Codable, Sendable {
    package var name: String
    package var summary: String
    /// JSON Schema of the fields of its plans. Not in lists.
    package var schema: JSONValue?
    /// Fields that a single service may have otherwise than its plan says, and those that an upgrade can change.
    package var overridable: [String]
    package var upgradable: [String]
    package var verbs: [VerbView]

    package init(
        name: String, summary: String, schema: JSONValue?, overridable: [String], upgradable: [String],
        verbs: [VerbView]
    ) {
        self.name = name
        self.summary = summary
        self.schema = schema
        self.overridable = overridable
        self.upgradable = upgradable
        self.verbs = verbs
    }
}

/// Something that can be done to a service.
package struct VerbView: Codable, Sendable {
    package var name: String
    package var summary: String
    /// States of a service in which it may begin.
    package var from: [String]
    package var steps: [String]
    /// JSON Schema of what it wants to know; nil for nothing.
    package var parameters: JSONValue?

    package init(name: String, summary: String, from: [String], steps: [String], parameters: JSONValue?) {
        self.name = name
        self.summary = summary
        self.from = from
        self.steps = steps
        self.parameters = parameters
    }
}
