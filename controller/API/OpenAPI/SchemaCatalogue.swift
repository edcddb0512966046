import APIModels
import ControllerCore
import Model
import WireProtocol

/// JSON Schemas of models, learnt by letting each model decode itself from a probe that notes what it asks for.
struct SchemaCatalogue {
    /// By name, for `#/components/schemas`.
    private(set) var schemas = JSONObject()

    /// The schema of any type that a model may hold; models themselves are referred to by name.
    /// - Parameter isAsked: what a caller sends: fields that are not known are refused, and null stands for none.
    mutating func schema(of type: any Decodable.Type, isAsked: Bool = false) -> JSONValue {
        switch type {
        case is String.Type: return ["type": "string"]
        case is Bool.Type: return ["type": "boolean"]
        case let integer as any FixedWidthInteger.Type: return Self.integer(integer, isAsked: isAsked)
        case is Double.Type: return ["type": "number"]
        case is Timestamp.Type: return ["type": "string", "format": "date-time"]
        case is JSONValue.Type: return [:]
        case is SeriesPoint.Type:
            return [
                "type": "array",
                "prefixItems": [["type": "integer"], ["type": "number"], ["type": "number"], ["type": "number"]],
                "minItems": 4, "maxItems": 4,
            ]
        case let choice as any Choice.Type:
            return ["type": "string", "enum": .array(choice.names.map { .string($0) })]
        case let optional as any OptionalType.Type:
            return Self.nullable(schema(of: optional.wrappedType, isAsked: isAsked))
        case let list as any ListType.Type:
            return ["type": "array", "items": schema(of: list.itemType, isAsked: isAsked)]
        case let map as any MapType.Type:
            return ["type": "object", "additionalProperties": schema(of: map.valueType, isAsked: isAsked)]
        default: return reference(to: type, isAsked)
        }
    }

    /// The fields of plans are those of their product: `ContainerSpec`.
    mutating func describe(_ products: [Product]) {
        var choices: [JSONValue] = []
        for product in products {
            let name = product.name.split(separator: "-").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
            schemas["\(name)Spec"] = .object(product.specification.schema)
            choices.append(["$ref": .string("#/components/schemas/\(name)Spec")])
        }
        for model in ["Plan", "PlanRequest", "PlanChange"] {
            guard var schema = schemas[model]?.asObject, var fields = schema["properties"]?.asObject else { continue }
            fields["spec"] = ["anyOf": .array(choices)]
            schema["properties"] = .object(fields)
            schemas[model] = .object(schema)
        }
    }

    private mutating func reference(to type: any Decodable.Type, _ isAsked: Bool) -> JSONValue {
        let name = Self.name(of: type)
        if schemas[name] == nil || (isAsked && schemas[name]?["additionalProperties"] == nil) {
            schemas[name] = object(type, isAsked)
        }
        return ["$ref": .string("#/components/schemas/\(name)")]
    }

    private mutating func object(_ type: any Decodable.Type, _ isAsked: Bool) -> JSONValue {
        let probe = SchemaProbe()
        _ = try? type.init(from: probe)
        let rules = (type as? any Ruled.Type)?.fields ?? [:]
        var properties = JSONObject()
        for field in probe.fields {
            var property = schema(of: field.type, isAsked: isAsked)
            if let rule = rules[field.name], let plain = property.asObject {
                property = .object(plain.ruled(by: rule))
            }
            properties[field.name] = isAsked && field.isOptional ? Self.nullable(property) : property
        }
        var schema: JSONObject = ["type": "object", "properties": .object(properties)]
        let required = probe.fields.filter { !$0.isOptional }.map { JSONValue.string($0.name) }
        if !required.isEmpty { schema["required"] = .array(required) }
        if isAsked { schema["additionalProperties"] = false }
        return .object((type as? any Ruled.Type).map { schema.ruled(by: $0.whole) } ?? schema)
    }

    /// What is asked for says how large it may be: programs count further than this one.
    private static func integer(_ type: any FixedWidthInteger.Type, isAsked: Bool) -> JSONValue {
        guard isAsked else { return ["type": "integer"] }
        func bound(_ value: some FixedWidthInteger) -> JSONValue { .integer(Int64(clamping: value)) }
        func schema<Number: FixedWidthInteger>(_ type: Number.Type) -> JSONValue {
            ["type": "integer", "minimum": bound(Number.min), "maximum": bound(Number.max)]
        }
        return schema(type)
    }

    /// The same, or null.
    private static func nullable(_ schema: JSONValue) -> JSONValue {
        guard var object = schema.asObject, !object.isEmpty else { return schema }
        guard let type = object["type"] else { return ["anyOf": [schema, ["type": "null"]]] }
        let types = type.asArray ?? [type]
        object["type"] = .array(types.contains("null") ? types : types + ["null"])
        if let words = object["enum"]?.asArray { object["enum"] = .array(words + [.null]) }
        return .object(object)
    }

    /// `Listing<Node>` becomes `ListingOfNode`.
    private static func name(of type: any Decodable.Type) -> String {
        String(describing: type).replacing("<", with: "Of").replacing(">", with: "")
    }
}

extension JSONObject {
    /// With the members of a rule; `items`, and what else is an object on both sides, gets them inside.
    fileprivate func ruled(by rule: JSONObject) -> JSONObject {
        var ruled = self
        for member in rule.members {
            if let inner = member.value.asObject, let present = ruled[member.key]?.asObject {
                ruled[member.key] = .object(present.ruled(by: inner))
            } else {
                ruled[member.key] = member.value
            }
        }
        return ruled
    }
}

private protocol ListType { static var itemType: any Decodable.Type { get } }
private protocol OptionalType { static var wrappedType: any Decodable.Type { get } }
private protocol MapType { static var valueType: any Decodable.Type { get } }

extension Array: ListType where Element: Decodable {
    fileprivate static var itemType: any Decodable.Type { Element.self }
}

extension Optional: OptionalType where Wrapped: Decodable {
    fileprivate static var wrappedType: any Decodable.Type { Wrapped.self }
}

extension Dictionary: MapType where Key == String, Value: Decodable {
    fileprivate static var valueType: any Decodable.Type { Value.self }
}

extension Choice {
    fileprivate static var names: [String] { allCases.map(\.rawValue) }
}
