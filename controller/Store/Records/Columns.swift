package import Model
package import SQLite
package import WireProtocol

extension Timestamp: SQLiteBindable {
    package var sqliteValue: SQLiteValue { .integer(milliseconds) }
}

extension JSONObject: SQLiteBindable {
    package var sqliteValue: SQLiteValue { .text(text) }
}

extension JSONValue: SQLiteBindable {
    package var sqliteValue: SQLiteValue { .text(text) }
}

extension [String] {
    var columnText: String { JSONValue.array(map { .string($0) }).text }
}

extension [String: String] {
    /// Sorted, so that equal labels are equal text.
    var columnText: String { JSONObject(sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }).text }
}

extension SQLiteError {
    static func unreadable(_ problem: String) -> SQLiteError { SQLiteError(kind: .mismatch, message: problem) }
}

extension SQLiteRow {
    mutating func timestamp() throws(SQLiteError) -> Timestamp { Timestamp(milliseconds: try integer()) }

    mutating func optionalTimestamp() throws(SQLiteError) -> Timestamp? {
        try optionalInteger().map { Timestamp(milliseconds: $0) }
    }

    mutating func json() throws(SQLiteError) -> JSONValue { try JSONValue(column: try text()) }

    mutating func optionalJSON() throws(SQLiteError) -> JSONValue? {
        guard let text = try optionalText() else { return nil }
        return try JSONValue(column: text)
    }

    mutating func object() throws(SQLiteError) -> JSONObject {
        guard case .object(let object) = try json() else { throw .unreadable("a column holds no JSON object") }
        return object
    }

    mutating func optionalObject() throws(SQLiteError) -> JSONObject? {
        guard let value = try optionalJSON() else { return nil }
        guard case .object(let object) = value else { throw .unreadable("a column holds no JSON object") }
        return object
    }

    mutating func strings() throws(SQLiteError) -> [String] {
        guard case .array(let items) = try json() else { throw .unreadable("a column holds no JSON list") }
        return items.compactMap(\.asString)
    }

    mutating func labels() throws(SQLiteError) -> [String: String] {
        let members = try object().members.compactMap { member in member.value.asString.map { (member.key, $0) } }
        return Dictionary(members, uniquingKeysWith: { _, last in last })
    }

    /// A word of a closed list, a state for example.
    mutating func named<Word: RawRepresentable<String>>() throws(SQLiteError) -> Word {
        let text = try text()
        guard let word = Word(rawValue: text) else { throw .unreadable("\"\(text)\" is no \(Word.self)") }
        return word
    }
}

extension JSONValue {
    /// A column may hold more than a wire line may.
    fileprivate init(column text: String) throws(SQLiteError) {
        do throws(JSONError) {
            self = try JSONParser.parse(text, limits: .local)
        } catch {
            throw .unreadable("a column holds no JSON: \(error)")
        }
    }
}
