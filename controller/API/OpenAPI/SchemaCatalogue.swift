import APIModels
import Model
import WireProtocol

/// JSON Schemas of models, learnt by letting each model decode itself from a probe that notes what it asks for.
struct SchemaCatalogue {
    /// By name, for `#/components/schemas`.
    private(set) var schemas = JSONObject()

    /// The schema of any type that a model may hold; models themselves are referred to by name.
    mutating func schema(of type: any Decodable.Type) -> JSONValue {
        switch type {
        case is String.Type: return ["type": "string"]
        case is Bool.Type: return ["type": "boolean"]
        case is any FixedWidthInteger.Type: return ["type": "integer"]
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
        case let list as any ListType.Type: return ["type": "array", "items": schema(of: list.itemType)]
        case let map as any MapType.Type:
            return ["type": "object", "additionalProperties": schema(of: map.valueType)]
        default: return reference(to: type)
        }
    }

    private mutating func reference(to type: any Decodable.Type) -> JSONValue {
        let name = Self.name(of: type)
        if schemas[name] == nil { schemas[name] = object(type) }
        return ["$ref": .string("#/components/schemas/\(name)")]
    }

    private mutating func object(_ type: any Decodable.Type) -> JSONValue {
        let probe = SchemaProbe()
        _ = try? type.init(from: probe)
        var properties = JSONObject()
        for field in probe.fields { properties[field.name] = schema(of: field.type) }
        var schema: JSONObject = ["type": "object", "properties": .object(properties)]
        let required = probe.fields.filter { !$0.isOptional }.map { JSONValue.string($0.name) }
        if !required.isEmpty { schema["required"] = .array(required) }
        return .object(schema)
    }

    /// `Listing<Node>` becomes `ListingOfNode`.
    private static func name(of type: any Decodable.Type) -> String {
        String(describing: type).replacing("<", with: "Of").replacing(">", with: "")
    }
}

private protocol ListType { static var itemType: any Decodable.Type { get } }
private protocol MapType { static var valueType: any Decodable.Type { get } }

extension Array: ListType where Element: Decodable {
    fileprivate static var itemType: any Decodable.Type { Element.self }
}

extension Dictionary: MapType where Key == String, Value: Decodable {
    fileprivate static var valueType: any Decodable.Type { Value.self }
}

extension Choice {
    fileprivate static var names: [String] { allCases.map(\.rawValue) }
}
