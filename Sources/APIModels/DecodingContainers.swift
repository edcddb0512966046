import WireProtocol

struct KeyedReader<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let level: DecodingLevel
    let object: JSONObject

    var codingPath: [any CodingKey] { level.codingPath }

    /// Maps ask for their keys: their keys are data and taken as they are.
    var allKeys: [Key] {
        level.known.formUnion(object.keys)
        return object.keys.compactMap { Key(stringValue: $0) }
    }

    func contains(_ key: Key) -> Bool { find(key) != nil }

    func decodeNil(forKey key: Key) throws -> Bool { find(key)?.value == .null }

    func decode<Model: Decodable>(_ type: Model.Type, forKey key: Key) throws -> Model {
        guard let found = find(key) else {
            throw BodyError(field: FieldName.path(codingPath + [FieldKey(name(key))]), problem: "is missing")
        }
        return try DecodingLevel.unbox(
            type, found.value, path: codingPath + [FieldKey(found.name)], unknownFields: level.unknownFields)
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        preconditionFailure("models nest values, not containers")
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        preconditionFailure("models nest values, not containers")
    }

    func superDecoder() throws -> any Decoder { preconditionFailure("models have no superclass") }
    func superDecoder(forKey key: Key) throws -> any Decoder { preconditionFailure("models have no superclass") }

    private func name(_ key: Key) -> String { FieldName.json(key.stringValue) }

    private func find(_ key: Key) -> (name: String, value: JSONValue)? {
        // A map's key that is also a model's style of name is stored under its own spelling first.
        if level.known.contains(key.stringValue), let value = object[key.stringValue] {
            return (key.stringValue, value)
        }
        let name = name(key)
        level.known.insert(name)
        return object[name].map { (name, $0) }
    }
}

struct ListReader: UnkeyedDecodingContainer {
    let level: DecodingLevel
    let items: [JSONValue]
    var currentIndex = 0

    init(level: DecodingLevel, items: [JSONValue]) {
        self.level = level
        self.items = items
    }

    var codingPath: [any CodingKey] { level.codingPath }
    var count: Int? { items.count }
    var isAtEnd: Bool { currentIndex >= items.count }

    mutating func decodeNil() throws -> Bool {
        guard !isAtEnd, items[currentIndex] == .null else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode<Model: Decodable>(_ type: Model.Type) throws -> Model {
        let path = codingPath + [FieldKey(index: currentIndex)]
        guard !isAtEnd else { throw BodyError(field: FieldName.path(path), problem: "is missing") }
        defer { currentIndex += 1 }
        return try DecodingLevel.unbox(type, items[currentIndex], path: path, unknownFields: level.unknownFields)
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        preconditionFailure("models nest values, not containers")
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        preconditionFailure("models nest values, not containers")
    }

    mutating func superDecoder() throws -> any Decoder { preconditionFailure("models have no superclass") }
}

struct SingleReader: SingleValueDecodingContainer {
    let level: DecodingLevel
    var codingPath: [any CodingKey] { level.codingPath }

    func decodeNil() -> Bool { level.value == .null }

    func decode(_ type: Bool.Type) throws -> Bool {
        guard case .bool(let value) = level.value else { throw level.wrong("true or false") }
        return value
    }

    func decode(_ type: String.Type) throws -> String {
        guard case .string(let value) = level.value else { throw level.wrong("a string") }
        return value
    }

    func decode(_ type: Double.Type) throws -> Double {
        switch level.value {
        case .integer(let value): return Double(value)
        case .number(let value): return value
        default: throw level.wrong("a number")
        }
    }

    func decode(_ type: Float.Type) throws -> Float { Float(try decode(Double.self)) }
    func decode(_ type: Int.Type) throws -> Int { try integer() }
    func decode(_ type: Int8.Type) throws -> Int8 { try integer() }
    func decode(_ type: Int16.Type) throws -> Int16 { try integer() }
    func decode(_ type: Int32.Type) throws -> Int32 { try integer() }
    func decode(_ type: Int64.Type) throws -> Int64 { try integer() }
    func decode(_ type: UInt.Type) throws -> UInt { try integer() }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try integer() }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try integer() }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try integer() }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try integer() }

    func decode<Model: Decodable>(_ type: Model.Type) throws -> Model {
        try DecodingLevel.unbox(type, level.value, path: codingPath, unknownFields: level.unknownFields)
    }

    private func integer<Number: FixedWidthInteger>() throws -> Number {
        // 1.0 is an integer too, as JSON has it.
        guard let value = level.value.asInteger else { throw level.wrong("an integer") }
        guard let number = Number(exactly: value) else {
            throw BodyError(
                field: FieldName.path(codingPath), problem: "must be between \(Number.min) and \(Number.max)")
        }
        return number
    }
}
