import APIModels
import Model
import WireProtocol

/// Text in a caller's own words, which people read later: in lists, in logs, on a terminal. It shows as what it is
/// (`VisibleText`), so that nobody's words can pass for another's. The check and what the API's document says are made of the
/// same figures.
struct FreeText: Sendable {
    /// Unicode characters.
    let length: ClosedRange<Int>
    /// Whether it may have several lines.
    var hasLines = false

    /// Refuses what `text` must not be; the problem names the field.
    func check(_ text: String, field: String) throws(Problem) {
        guard length.contains(text.unicodeScalars.count) else {
            throw Problem(
                .invalidField, "field \(field) must have \(length.lowerBound) to \(length.upperBound) characters",
                field: field)
        }
        guard let hidden = text.unicodeScalars.first(where: { !isAllowed($0) }) else { return }
        throw Problem(
            .invalidField,
            "field \(field) must not hold \(Self.name(of: hidden)), which does not show\(hasLines ? "" : " on one line")",
            field: field)
    }

    private func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        VisibleText.isVisible(scalar) || (hasLines && scalar == "\n")
    }

    /// `U+202E`.
    private static func name(of scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}

extension Ruled {
    static func check(_ body: JSONValue) throws(Problem) {
        for (field, rule) in texts.sorted(by: { $0.key < $1.key }) {
            if let text = body[field]?.asString { try rule.check(text, field: field) }
        }
    }
}

extension FreeText {
    /// Members of a JSON Schema.
    var schema: JSONObject {
        var schema = Rules.pattern("^[^\(hasLines ? Self.hiddenButLines : Self.hidden)]*$")
        if length.lowerBound > 0 { schema["minLength"] = .integer(Int64(length.lowerBound)) }
        schema["maxLength"] = .integer(Int64(length.upperBound))
        return schema
    }

    /// What does not show, as a class of a regular expression that every dialect reads; a test compares it with `VisibleText`.
    private static let hidden = #"\u0000-\u001f"# + invisible
    private static let hiddenButLines = #"\u0000-\u0009\u000b-\u001f"# + invisible
    private static let invisible =
        #"\u007f-\u009f\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u2028-\u202e"#
        + #"\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb"#
        + "\u{110BD}\u{110CD}\u{13430}-\u{1343F}\u{1BCA0}-\u{1BCA3}\u{1D173}-\u{1D17A}\u{E0001}\u{E0020}-\u{E007F}"
}
