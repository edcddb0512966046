package import WireProtocol

extension [Argument] {
    /// The arguments as a JSON Schema (draft 2020-12) of an object, for those who ask from afar.
    package var schema: JSONObject {
        var schema: JSONObject = [
            "type": "object",
            "properties": .object(JSONObject(map { ($0.name, .object($0.schema)) })),
        ]
        let required = filter(\.isRequired).map { JSONValue.string($0.name) }
        if !required.isEmpty { schema["required"] = .array(required) }
        schema["additionalProperties"] = false
        return schema
    }
}

extension Argument {
    var schema: JSONObject {
        var schema = form.schema
        schema["description"] = .string(form.detail.map { "\(help): \($0)" } ?? help)
        schema["default"] = fallback
        return schema
    }
}

extension ArgumentForm {
    var schema: JSONObject {
        switch self {
        case .text(let form):
            return form.name.map { ["type": "string", "format": .string($0)] } ?? ["type": "string"]
        case .choice(let words): return ["type": "string", "enum": .array(words.map(JSONValue.string))]
        case .integer(let range):
            var schema: JSONObject = ["type": "integer", "minimum": .integer(range.lowerBound)]
            if range.upperBound < .max { schema["maximum"] = .integer(range.upperBound) }
            return schema
        case .number(let range):
            return ["type": "number", "minimum": .number(range.lowerBound), "maximum": .number(range.upperBound)]
        case .bool: return ["type": "boolean"]
        case .list(let form, let count):
            var items = form.schema
            items["description"] = form.detail.map(JSONValue.string)
            var schema: JSONObject = ["type": "array", "items": .object(items)]
            if count.lowerBound > 0 { schema["minItems"] = .integer(Int64(count.lowerBound)) }
            schema["maxItems"] = .integer(Int64(count.upperBound))
            return schema
        case .record(let fields): return fields.schema
        case .map(let keys, let form):
            var values = form.schema
            values["description"] = form.detail.map(JSONValue.string)
            return [
                "type": "object", "propertyNames": ["description": .string(keys.expectation)],
                "additionalProperties": .object(values),
            ]
        case .any: return [:]
        }
    }

    /// What the keywords of the schema do not say.
    var detail: String? {
        guard case .text(let form) = self, form.expectation != TextForm.any.expectation else { return nil }
        return form.expectation
    }
}
