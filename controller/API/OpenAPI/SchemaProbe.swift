import APIModels
import Model
import WireProtocol

/// A decoder without data: it hands out placeholders and remembers which fields it was asked for, of which type.
final class SchemaProbe: Decoder {
    struct Field {
        let name: String
        let type: any Decodable.Type
        let isOptional: Bool
    }

    /// There is nothing to read here.
    struct Nothing: Error {}

    let codingPath: [any CodingKey] = []
    let userInfo: [CodingUserInfoKey: Any] = [:]
    private(set) var fields: [Field] = []
    /// Names of fields whose presence was asked about before they were read.
    private var optional: Set<String> = []

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(ProbeContainer<Key>(probe: self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw Nothing() }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { throw Nothing() }

    func note(optional name: String) { optional.insert(name) }

    func note(_ name: String, _ type: any Decodable.Type) {
        fields.append(Field(name: name, type: type, isOptional: optional.contains(name)))
    }

    /// A value of the type, whatever it says: only its model's going on matters.
    static func placeholder<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let simple: [Any] = [
            "", false, 0, Int64(0), Int32(0), Int16(0), Int8(0), UInt(0), UInt64(0), UInt32(0), UInt16(0), UInt8(0),
            0.0, Timestamp(milliseconds: 0), JSONValue.null, SeriesPoint(milliseconds: 0, value: 0),
        ]
        if let value = simple.lazy.compactMap({ $0 as? Value }).first { return value }
        if let choice = type as? any Choice.Type, let value = choice.someCase as? Value { return value }
        if let empty = type as? any EmptyValue.Type, let value = empty.empty as? Value { return value }
        return try Value(from: SchemaProbe())
    }
}

private struct ProbeContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let probe: SchemaProbe
    let codingPath: [any CodingKey] = []
    let allKeys: [Key] = []

    func contains(_ key: Key) -> Bool {
        probe.note(optional: FieldName.json(key.stringValue))
        return true
    }

    func decodeNil(forKey key: Key) throws -> Bool { false }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        probe.note(FieldName.json(key.stringValue), type)
        return try SchemaProbe.placeholder(type)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> { throw SchemaProbe.Nothing() }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { throw SchemaProbe.Nothing() }
    func superDecoder() throws -> any Decoder { throw SchemaProbe.Nothing() }
    func superDecoder(forKey key: Key) throws -> any Decoder { throw SchemaProbe.Nothing() }
}

private protocol EmptyValue { static var empty: Self { get } }
extension Array: EmptyValue { fileprivate static var empty: Self { [] } }
extension Dictionary: EmptyValue { fileprivate static var empty: Self { [:] } }
extension Choice { fileprivate static var someCase: Self? { allCases.first } }
