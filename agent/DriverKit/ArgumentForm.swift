package import Model

/// What the value of an argument may be.
package indirect enum ArgumentForm: Sendable {
    case text(TextForm)
    case choice([String])
    case integer(ClosedRange<Int64>)
    case number(ClosedRange<Double>)
    case bool
    /// A list and how many values it may have.
    case list(ArgumentForm, ClosedRange<Int>)
    /// An object with known fields.
    case record([Argument])
    /// An object whose names the caller chooses; both the names and the values have a form.
    case map(TextForm, ArgumentForm)
    /// Any JSON.
    case any
}

/// What a text may look like.
package struct TextForm: Sendable {
    /// What such a text is, for people: `dataset name`. Nil where the argument's own name says it.
    package let name: String?
    /// The end of a sentence that begins with "must be".
    package let expectation: String
    package let accepts: @Sendable (String) -> Bool

    package init(_ expectation: String, _ accepts: @escaping @Sendable (String) -> Bool) {
        (name, self.expectation, self.accepts) = (nil, expectation, accepts)
    }

    package init(_ grammar: Grammar) {
        (name, expectation, accepts) = (grammar.field, grammar.expectation, grammar.accepts)
    }

    /// Any text of at most some bytes.
    package static func free(_ limit: Int = 1 << 20) -> TextForm {
        TextForm("text of at most \(limit) bytes") { $0.utf8.count <= limit }
    }

    package static let any = TextForm("text") { _ in true }
}

extension Argument {
    /// Text that follows a grammar.
    package static func text(_ name: String, _ grammar: Grammar, _ help: String) -> Argument {
        Argument(name, .text(TextForm(grammar)), help)
    }

    /// Any text.
    package static func text(_ name: String, _ help: String) -> Argument { Argument(name, .text(.any), help) }
}
