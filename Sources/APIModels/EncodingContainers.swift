import WireProtocol

/// Fields collected so far, shared between copies of a keyed container.
final class FieldCollector {
    var object = JSONObject()
}

/// Items collected so far, shared between copies of a list container.
final class ItemCollector {
    var values: [JSONValue] = []
}

struct KeyedWriter<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let fields = FieldCollector()
    let codingPath: [any CodingKey]

    init(path: [any CodingKey]) { codingPath = path }

    mutating func encodeNil(forKey key: Key) throws { fields.object[name(key)] = .null }

    mutating func encode<Model: Encodable>(_ model: Model, forKey key: Key) throws {
        fields.object[name(key)] = try EncodingLevel.box(model, path: codingPath + [FieldKey(name(key))])
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy keyType: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        preconditionFailure("models nest values, not containers")
    }

    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        preconditionFailure("models nest values, not containers")
    }

    mutating func superEncoder() -> any Encoder { preconditionFailure("models have no superclass") }
    mutating func superEncoder(forKey key: Key) -> any Encoder { preconditionFailure("models have no superclass") }

    private func name(_ key: Key) -> String { FieldName.json(key.stringValue) }
}

struct ListWriter: UnkeyedEncodingContainer {
    let items = ItemCollector()
    let codingPath: [any CodingKey]
    var count: Int { items.values.count }

    init(path: [any CodingKey]) { codingPath = path }

    mutating func encodeNil() throws { items.values.append(.null) }

    mutating func encode<Model: Encodable>(_ model: Model) throws {
        items.values.append(try EncodingLevel.box(model, path: codingPath + [FieldKey(index: count)]))
    }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy keyType: Nested.Type) -> KeyedEncodingContainer<Nested> {
        preconditionFailure("models nest values, not containers")
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        preconditionFailure("models nest values, not containers")
    }

    mutating func superEncoder() -> any Encoder { preconditionFailure("models have no superclass") }
}

struct SingleWriter: SingleValueEncodingContainer {
    let level: EncodingLevel
    let codingPath: [any CodingKey]

    private func put(_ value: JSONValue) { level.finish = { value } }

    mutating func encodeNil() throws { put(.null) }
    mutating func encode(_ value: Bool) throws { put(.bool(value)) }
    mutating func encode(_ value: String) throws { put(.string(value)) }
    mutating func encode(_ value: Double) throws { put(value.isFinite ? .number(value) : .null) }
    mutating func encode(_ value: Float) throws { try encode(Double(value)) }
    mutating func encode(_ value: Int) throws { put(.integer(Int64(value))) }
    mutating func encode(_ value: Int8) throws { put(.integer(Int64(value))) }
    mutating func encode(_ value: Int16) throws { put(.integer(Int64(value))) }
    mutating func encode(_ value: Int32) throws { put(.integer(Int64(value))) }
    mutating func encode(_ value: Int64) throws { put(.integer(value)) }
    mutating func encode(_ value: UInt) throws { try encode(UInt64(value)) }
    mutating func encode(_ value: UInt8) throws { put(.integer(Int64(value))) }
    mutating func encode(_ value: UInt16) throws { put(.integer(Int64(value))) }
    mutating func encode(_ value: UInt32) throws { put(.integer(Int64(value))) }

    mutating func encode(_ value: UInt64) throws {
        put(Int64(exactly: value).map(JSONValue.integer) ?? .number(Double(value)))
    }

    mutating func encode<Model: Encodable>(_ model: Model) throws {
        put(try EncodingLevel.box(model, path: codingPath))
    }
}
