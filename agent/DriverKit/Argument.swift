package import WireProtocol

/// One argument of an action: what its value may be, whether it must be given, and what it is for.
///
/// `.text("dataset", .datasetName, "what is worked on")`, `.integer("limit", 1...1000, "how many at most").or(100)`.
package struct Argument: Sendable {
    package let name: String
    package let form: ArgumentForm
    /// One clause for people, without the form.
    package let help: String
    /// Whether a call without it is refused.
    package private(set) var isRequired = true
    /// Its value where a call does not give it.
    package private(set) var fallback: JSONValue?

    package init(_ name: String, _ form: ArgumentForm, _ help: String) {
        (self.name, self.form, self.help) = (name, form, help)
    }

    /// The same, which need not be given and then has no value.
    package var optional: Argument {
        var argument = self
        argument.isRequired = false
        return argument
    }

    /// The same, with the value that it has where it is not given.
    package func or(_ fallback: JSONValue) -> Argument {
        var argument = optional
        argument.fallback = fallback
        return argument
    }
}

extension Argument {
    /// Text that follows a form.
    package static func text(_ name: String, _ form: TextForm, _ help: String) -> Argument {
        Argument(name, .text(form), help)
    }

    /// One of some words.
    package static func choice(_ name: String, _ words: [String], _ help: String) -> Argument {
        Argument(name, .choice(words), help)
    }

    package static func integer(_ name: String, _ range: ClosedRange<Int64>, _ help: String) -> Argument {
        Argument(name, .integer(range), help)
    }

    /// True or false; false where it is not given.
    package static func flag(_ name: String, _ help: String) -> Argument {
        Argument(name, .bool, help).or(false)
    }

    /// - Parameter count: how many values there may be.
    package static func list(
        _ name: String, of form: ArgumentForm, _ count: ClosedRange<Int>, _ help: String
    ) -> Argument {
        Argument(name, .list(form, count), help)
    }

    /// An object with known fields.
    package static func record(_ name: String, _ fields: [Argument], _ help: String) -> Argument {
        Argument(name, .record(fields), help)
    }

    /// An object whose names the caller chooses.
    package static func map(
        _ name: String, _ keys: TextForm, of form: ArgumentForm, _ help: String
    ) -> Argument {
        Argument(name, .map(keys, form), help)
    }
}
