package import WireProtocol

/// What the owner of the node allows, whoever asks. A rule that denies wins over every rule that allows.
package struct Policy: Sendable, Hashable {
    package struct Rule: Sendable, Hashable, CustomStringConvertible {
        /// Operation with the driver's name: `docker.container.*`.
        package let operation: NamePattern
        package let resource: NamePattern

        package init(operation: String, resource: String = "*") {
            self.operation = NamePattern(operation)
            self.resource = NamePattern(resource)
        }

        package var description: String { "\(operation) on \(resource)" }

        func covers(_ operation: String, _ resource: String) -> Bool {
            self.operation.matches(operation) && self.resource.matches(resource)
        }
    }

    package let allow: [Rule]
    package let deny: [Rule]

    package init(allow: [Rule], deny: [Rule]) {
        self.allow = allow
        self.deny = deny
    }

    /// Without a file: everything that the drivers do, except what would be a shell by another name.
    package static let standard = Policy(
        allow: [Rule(operation: "*")],
        deny: ["*.exec", "*.exec.*", "*.raw", "*.raw.*", "*.write", "*.write.*"].map { Rule(operation: $0) })

    /// Why the operation is not allowed; nil when it is.
    package func denial(of operation: String, on resource: String) -> String? {
        if let rule = deny.first(where: { $0.covers(operation, resource) }) { return "denied by the rule \(rule)" }
        guard allow.contains(where: { $0.covers(operation, resource) }) else { return "allowed by no rule" }
        return nil
    }

    /// Whether the operation is allowed on some resource, as far as the rules for all resources say.
    package func mayAllow(_ operation: String) -> Bool {
        !deny.contains { $0.resource.text == "*" && $0.operation.matches(operation) }
            && allow.contains { $0.operation.matches(operation) }
    }
}

extension Policy {
    package static let keys: Set<String> = ["allow", "deny"]

    /// `{"allow": [{"operation": "docker.*", "resource": "docker/svc-*"}], "deny": [...]}`. A list that is absent is the
    /// standard one, an empty one is empty.
    package init(reading fields: JSONObject) throws(FieldError) {
        allow = try fields.optionalList("allow", Rule.init(reading:)) ?? Self.standard.allow
        deny = try fields.optionalList("deny", Rule.init(reading:)) ?? Self.standard.deny
    }
}

extension Policy.Rule {
    init(reading fields: JSONObject) throws(FieldError) {
        try fields.allowOnly(["operation", "resource"])
        self.init(operation: try fields.string("operation"), resource: try fields.optionalString("resource") ?? "*")
    }
}
