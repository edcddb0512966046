import WireProtocol

/// The part of a JSON Schema that every reader would check alike: which fields there are, of what type, and which words they may
/// be. What values mean is the reader's own matter.
struct SchemaCheck {
    /// Whether fields may be absent: what replaces single fields of something that is whole.
    var isPartial = false

    /// Throws for the first field that is not as the schema has it.
    func check(_ fields: JSONObject, _ schema: JSONObject, _ path: String) throws(CoreError) {
        try object(fields, schema, path, isPartial)
    }

    private func value(_ value: JSONValue, _ schema: JSONObject, _ path: String) throws(CoreError) {
        if let type = schema["type"]?.asString, !value.isA(type) {
            throw .invalid(field: path, problem: "must be \(Self.article(type)), not \(Self.article(value.typeName))")
        }
        if let words = schema["enum"]?.asArray, !words.contains(value) {
            let known = words.map { $0.asString ?? $0.text }.joined(separator: ", ")
            throw .invalid(field: path, problem: "must be one of \(known), not \"\(value.asString ?? value.text)\"")
        }
        if let fields = value.asObject { try object(fields, schema, path, false) }
        guard let items = value.asArray, let item = schema["items"]?.asObject else { return }
        for (index, element) in items.enumerated() { try self.value(element, item, "\(path)[\(index)]") }
    }

    private func object(
        _ fields: JSONObject, _ schema: JSONObject, _ path: String, _ isPartial: Bool
    ) throws(CoreError) {
        let known = schema["properties"]?.asObject ?? [:]
        let others = schema["additionalProperties"]
        for member in fields.members where known[member.key] == nil && others == false {
            throw .invalid(field: Self.join(path, member.key), problem: "is not a known field")
        }
        if !isPartial {
            for name in schema["required"]?.asArray ?? [] where fields[name.asString ?? ""] == nil {
                throw .invalid(field: Self.join(path, name.asString ?? ""), problem: "is missing")
            }
        }
        for member in fields.members {
            guard let schema = known[member.key]?.asObject ?? others?.asObject else { continue }
            try value(member.value, schema, Self.join(path, member.key))
        }
    }

    private static func join(_ path: String, _ name: String) -> String {
        path.isEmpty ? String(name.prefix(64)) : "\(path).\(name.prefix(64))"
    }

    private static func article(_ type: String) -> String {
        switch type {
        case "null": "null"
        case "integer", "array", "object": "an \(type)"
        default: "a \(type)"
        }
    }
}

extension JSONValue {
    fileprivate var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .integer: "integer"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    fileprivate func isA(_ type: String) -> Bool { typeName == type || (type == "number" && typeName == "integer") }
}
