package import Model
package import SQL
package import WireProtocol

extension Timestamp: SQLBindable {
    package var sqlValue: SQLValue { .integer(milliseconds) }
}

extension JSONObject: SQLBindable {
    package var sqlValue: SQLValue { .text(text) }
}

extension JSONValue: SQLBindable {
    package var sqlValue: SQLValue { .text(text) }
}

extension [String] {
    var columnText: String { JSONValue.array(map { .string($0) }).text }
}

extension [String: String] {
    /// Sorted, so that equal labels are equal text.
    var columnText: String { JSONObject(sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }).text }
}

extension SQLError {
    static func unreadable(_ problem: String) -> SQLError { SQLError(kind: .mismatch, message: problem) }
}

extension SQLRow {
    mutating func timestamp() throws(SQLError) -> Timestamp { Timestamp(milliseconds: try integer()) }

    mutating func optionalTimestamp() throws(SQLError) -> Timestamp? {
        try optionalInteger().map { Timestamp(milliseconds: $0) }
    }

    mutating func json() throws(SQLError) -> JSONValue { try JSONValue(column: try text()) }

    mutating func optionalJSON() throws(SQLError) -> JSONValue? {
        guard let text = try optionalText() else { return nil }
        return try JSONValue(column: text)
    }

    mutating func object() throws(SQLError) -> JSONObject {
        guard case .object(let object) = try json() else { throw .unreadable("a column holds no JSON object") }
        return object
    }

    mutating func optionalObject() throws(SQLError) -> JSONObject? {
        guard let value = try optionalJSON() else { return nil }
        guard case .object(let object) = value else { throw .unreadable("a column holds no JSON object") }
        return object
    }

    mutating func strings() throws(SQLError) -> [String] {
        guard case .array(let items) = try json() else { throw .unreadable("a column holds no JSON list") }
        return items.compactMap(\.asString)
    }

    mutating func labels() throws(SQLError) -> [String: String] {
        let members = try object().members.compactMap { member in member.value.asString.map { (member.key, $0) } }
        return Dictionary(members, uniquingKeysWith: { _, last in last })
    }

    /// A word of a closed list, a state for example.
    mutating func named<Word: RawRepresentable<String>>() throws(SQLError) -> Word {
        let text = try text()
        guard let word = Word(rawValue: text) else { throw .unreadable("\"\(text)\" is no \(Word.self)") }
        return word
    }
}

extension JSONValue {
    /// A column may hold more than a wire line may.
    fileprivate init(column text: String) throws(SQLError) {
        do throws(JSONError) {
            self = try JSONParser.parse(text, limits: .local)
        } catch {
            throw .unreadable("a column holds no JSON: \(error)")
        }
    }
}
