/// A text that does not follow its grammar; says what was expected, and quotes no more than a little of it.
package struct GrammarError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What the text was meant to be, e.g. `node name`.
    package let field: String
    /// The text, cut to 64 characters, with control characters replaced.
    package let value: String
    /// What would have been right, as the end of the sentence "must be …".
    package let expectation: String

    package init(field: String, value: String, expectation: String) {
        self.field = field
        let shown = value.unicodeScalars.prefix(64).map { scalar in
            scalar.properties.generalCategory == .control ? "�" : String(scalar)
        }
        self.value = shown.joined() + (value.unicodeScalars.dropFirst(64).isEmpty ? "" : "…")
        self.expectation = expectation
    }

    package var description: String { "\(field) \"\(value)\" must be \(expectation)" }
}

/// What a text may look like. Every name that reaches a command line, a path or a peer goes through one of these first.
package struct Grammar: Sendable {
    package let field: String
    package let expectation: String
    private let rule: @Sendable (ArraySlice<UInt8>) -> Bool

    init(_ field: String, _ expectation: String, _ rule: @escaping @Sendable (ArraySlice<UInt8>) -> Bool) {
        self.field = field
        self.expectation = expectation
        self.rule = rule
    }

    package func accepts(_ text: String) -> Bool { rule(Array(text.utf8)[...]) }

    /// - Parameter field: names the text in the error, where `node name` alone would not say which.
    package func check(_ text: String, field: String? = nil) throws(GrammarError) {
        guard accepts(text) else {
            throw GrammarError(field: field ?? self.field, value: text, expectation: expectation)
        }
    }
}

extension UInt8 {
    var isLowerLetter: Bool { (0x61...0x7A).contains(self) }
    var isLetter: Bool { (0x61...0x7A).contains(self | 0x20) }
    var isDigit: Bool { (0x30...0x39).contains(self) }
    var isAlphanumeric: Bool { isLetter || isDigit }
    /// Printable ASCII without the space.
    var isGraphic: Bool { (0x21...0x7E).contains(self) }
    func isOne(of characters: StaticString) -> Bool {
        characters.withUTF8Buffer { $0.contains(self) }
    }
}
