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

        /// Whether the rule says the last word of the operation itself, not by a star.
        func spells(_ operation: String) -> Bool {
            let last = Self.lastWord(operation)
            return !last.isEmpty && Self.lastWord(self.operation.text) == last
        }

        private static func lastWord(_ text: String) -> String {
            text.split(separator: ".", omittingEmptySubsequences: false).last.map(String.init) ?? ""
        }
    }

    package let allow: [Rule]
    package let deny: [Rule]

    package init(allow: [Rule], deny: [Rule]) {
        self.allow = allow
        self.deny = deny
    }

    /// Without a file: everything that the drivers do, except guarded operations.
    package static let standard = Policy(allow: [Rule(operation: "*")], deny: [])

    /// Why the operation is not allowed; nil when it is.
    /// - Parameter guarded: it is as good as a shell, so that only a rule that spells its last word allows it.
    package func denial(of operation: String, on resource: String, guarded: Bool = false) -> String? {
        if let rule = deny.first(where: { $0.covers(operation, resource) }) { return "denied by the rule \(rule)" }
        let allowing = allow.filter { $0.covers(operation, resource) }
        guard !allowing.isEmpty else { return "allowed by no rule" }
        guard guarded, !allowing.contains(where: { $0.spells(operation) }) else { return nil }
        return "it can do anything, and no rule allows it by name"
    }

    /// Whether the operation is allowed on some resource, as far as the rules for all resources say.
    package func mayAllow(_ operation: String, guarded: Bool = false) -> Bool {
        !deny.contains { $0.resource.text == "*" && $0.operation.matches(operation) }
            && allow.contains { $0.operation.matches(operation) && (!guarded || $0.spells(operation)) }
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
