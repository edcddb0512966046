package import WireProtocol

/// One parameter of a query: its name, and for the OpenAPI document what it may be.
package struct QueryParameter: Sendable, ExpressibleByStringLiteral {
    /// The most that a list gives at once.
    package static let pageLimit: Int64 = 500

    let name: String
    var schema: JSONObject = ["type": "string"]
    /// Others may be given once only: of two values one would silently win.
    var isRepeatable = false
    var summary: String?

    package init(
        _ name: String, _ schema: JSONObject = ["type": "string"], isRepeatable: Bool = false, _ summary: String? = nil
    ) {
        self.name = name
        self.schema = schema
        self.isRepeatable = isRepeatable
        self.summary = summary
    }

    /// Names that mean the same everywhere bring what they may be.
    package init(stringLiteral name: String) {
        self.init(name)
        switch name {
        case "limit":
            schema = ["type": "integer", "minimum": 1, "maximum": .integer(Self.pageLimit), "default": 100]
        case "cursor": summary = "Where the page before ended, as its `next` says."
        case "from", "to", "since": self = .time(name)
        case "terminated", "resolved", "history": schema = ["type": "boolean", "default": false]
        default: break
        }
    }

    package static func text(_ name: String, _ summary: String) -> QueryParameter {
        QueryParameter(name, ["type": "string"], summary)
    }

    package static func many(_ name: String, _ summary: String, among words: [String]? = nil) -> QueryParameter {
        var schema: JSONObject = ["type": "string"]
        schema["enum"] = words.map { .array($0.map { .string($0) }) }
        return QueryParameter(name, schema, isRepeatable: true, summary)
    }

    package static func word<Word: RawRepresentable<String> & CaseIterable>(_ name: String, _ type: Word.Type)
        -> QueryParameter
    {
        word(name, among: Word.allCases.map(\.rawValue))
    }

    package static func word(_ name: String, among words: [String]) -> QueryParameter {
        QueryParameter(name, ["type": "string", "enum": .array(words.map { .string($0) })])
    }

    package static func integer(_ name: String, _ range: ClosedRange<Int64>, _ summary: String) -> QueryParameter {
        QueryParameter(
            name,
            ["type": "integer", "minimum": .integer(range.lowerBound), "maximum": .integer(range.upperBound)], summary)
    }

    package static func time(_ name: String) -> QueryParameter {
        QueryParameter(
            name, ["oneOf": [["type": "integer", "minimum": 0], ["type": "string", "format": "date-time"]]],
            "Milliseconds since 1970, or a time such as 2026-11-21T08:15:00Z.")
    }

    /// As the OpenAPI document has it.
    package var described: JSONValue {
        var object: JSONObject = ["name": .string(name), "in": "query"]
        object["description"] = summary.map { .string($0) }
        // What holds control characters is refused before anybody looks at it.
        var item = schema
        if item["type"] == "string", item["enum"] == nil, item["format"] == nil {
            item["pattern"] = #"^[^\u0000-\u001f\u007f]*$"#
        }
        object["schema"] = .object(isRepeatable ? ["type": "array", "items": .object(item)] : item)
        return .object(object)
    }
}
