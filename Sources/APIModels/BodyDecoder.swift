package import WireProtocol

/// Reads models out of JSON values and names the field that is wrong.
///
/// A server refuses fields that it does not know, because a misspelt `memroy_bytes` must not be ignored; a client ignores
/// them, because a newer server may say more.
package enum BodyDecoder {
    package enum UnknownFields: Sendable { case refused, ignored }

    /// The model that `json` holds.
    package static func model<Model: Decodable>(
        _ type: Model.Type, from json: JSONValue, unknownFields: UnknownFields = .ignored
    ) throws(BodyError) -> Model {
        do {
            return try DecodingLevel.unbox(type, json, path: [], unknownFields: unknownFields)
        } catch let error as BodyError {
            throw error
        } catch let error as DecodingError {
            throw BodyError(error)
        } catch {
            throw BodyError(field: "", problem: "cannot be read: \(error)")
        }
    }
}

/// One value being read, and which of its fields the model asked for.
final class DecodingLevel: Decoder {
    let value: JSONValue
    let codingPath: [any CodingKey]
    let userInfo: [CodingUserInfoKey: Any] = [:]
    let unknownFields: BodyDecoder.UnknownFields
    var known: Set<String> = []

    init(_ value: JSONValue, path: [any CodingKey], unknownFields: BodyDecoder.UnknownFields) {
        self.value = value
        self.codingPath = path
        self.unknownFields = unknownFields
    }

    static func unbox<Model: Decodable>(
        _ type: Model.Type, _ value: JSONValue, path: [any CodingKey], unknownFields: BodyDecoder.UnknownFields
    ) throws -> Model {
        if let json = value as? Model { return json }
        let level = DecodingLevel(value, path: path, unknownFields: unknownFields)
        let model = try Model(from: level)
        try level.refuseUnknownFields()
        return model
    }

    private func refuseUnknownFields() throws(BodyError) {
        guard unknownFields == .refused, !known.isEmpty, case .object(let object) = value else { return }
        for key in object.keys where !known.contains(key) {
            throw BodyError(field: FieldName.path(codingPath + [FieldKey(key)]), problem: "is not a known field")
        }
    }

    func wrong(_ expectation: String) -> BodyError {
        BodyError(field: FieldName.path(codingPath), problem: "must be \(expectation), not \(value.kindName)")
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let object) = value else { throw wrong("an object") }
        return KeyedDecodingContainer(KeyedReader<Key>(level: self, object: object))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let items) = value else { throw wrong("a list") }
        return ListReader(level: self, items: items)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { SingleReader(level: self) }
}

extension BodyError {
    /// The same complaint as the standard library's, in our words.
    init(_ error: DecodingError) {
        switch error {
        case .keyNotFound(let key, let context):
            self.init(
                field: FieldName.path(context.codingPath + [FieldKey(FieldName.json(key.stringValue))]),
                problem: "is missing")
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
            self.init(field: FieldName.path(context.codingPath), problem: context.debugDescription)
        @unknown default:
            self.init(field: "", problem: "cannot be read")
        }
    }
}

extension JSONValue {
    /// What kind of value this is, with its article: "a string".
    var kindName: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer: "an integer"
        case .number: "a number"
        case .string: "a string"
        case .array: "a list"
        case .object: "an object"
        }
    }
}
