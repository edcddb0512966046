package import WireProtocol

/// Turns models into JSON values: snake-case names, fields in the order the model declares them, no `null` for what is absent.
package enum BodyEncoder {
    /// The JSON form of `model`.
    package static func json<Model: Encodable>(_ model: Model) throws -> JSONValue {
        try EncodingLevel.box(model, path: [])
    }

    /// The JSON text of `model` as UTF-8 bytes, without a line end.
    package static func bytes<Model: Encodable>(_ model: Model) throws -> [UInt8] {
        try json(model).encoded
    }
}

/// One value being written. Containers write through to `value`, which the parent collects afterwards.
final class EncodingLevel: Encoder {
    var codingPath: [any CodingKey]
    let userInfo: [CodingUserInfoKey: Any] = [:]
    var finish: () -> JSONValue = { .object([:]) }

    init(path: [any CodingKey]) { codingPath = path }

    static func box(_ model: any Encodable, path: [any CodingKey]) throws -> JSONValue {
        if let json = model as? JSONValue { return json }
        if let map = model as? any StringKeyedMap { return try map.boxed(path: path) }
        let level = EncodingLevel(path: path)
        try model.encode(to: level)
        return level.finish()
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        let container = KeyedWriter<Key>(path: codingPath)
        finish = { .object(container.fields.object) }
        return KeyedEncodingContainer(container)
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        let container = ListWriter(path: codingPath)
        finish = { .array(container.items.values) }
        return container
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        SingleWriter(level: self, codingPath: codingPath)
    }
}

/// Maps with string keys keep their keys as they are: labels and environment names are data, not field names.
private protocol StringKeyedMap {
    func boxed(path: [any CodingKey]) throws -> JSONValue
}

extension Dictionary: StringKeyedMap where Key == String, Value: Encodable {
    fileprivate func boxed(path: [any CodingKey]) throws -> JSONValue {
        var object = JSONObject()
        for (key, value) in sorted(by: { $0.key < $1.key }) {
            object[key] = try EncodingLevel.box(value, path: path + [FieldKey(key)])
        }
        return .object(object)
    }
}
