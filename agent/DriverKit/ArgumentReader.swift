package import Model
package import WireProtocol

/// Reads the arguments of a call by name and type, and refuses what nobody has read.
///
/// Every failure is an `invalidArgument` that names the argument.
package struct ArgumentReader {
    private let object: JSONObject
    private var known: Set<String> = []

    package init(_ object: JSONObject) {
        self.object = object
    }

    /// The value of an argument; `null` counts as absent.
    package mutating func value(_ key: String) -> JSONValue? {
        known.insert(key)
        let value = object[key]
        return value == .null ? nil : value
    }

    /// The value as `read` makes it of the JSON value; `nil` when absent.
    /// - Throws: `invalidArgument` when `read` gives nothing.
    package mutating func optional<Value>(
        _ key: String, _ expectation: String, _ read: (JSONValue) -> Value?
    ) throws(DriverError) -> Value? {
        guard let value = value(key) else { return nil }
        guard let result = read(value) ?? Self.meaning(value).flatMap(read) else {
            throw .invalidArgument(key, "must be \(expectation)")
        }
        return result
    }

    /// A word of a command line is a number, or true or false, where one of these is asked for; where text is asked for it is
    /// text, whatever it looks like.
    private static func meaning(_ value: JSONValue) -> JSONValue? {
        guard let text = value.asString, text.utf8.count <= 64, let value = try? JSONParser.parse(text) else {
            return nil
        }
        return value.asNumber != nil || value.asBool != nil ? value : nil
    }

    /// Ends the reading.
    /// - Throws: `invalidArgument` naming an argument that no one asked for.
    package func finish() throws(DriverError) {
        if let stranger = object.keys.first(where: { !known.contains($0) }) {
            throw .invalidArgument(stranger, "is not an argument of this action")
        }
    }
}

extension ArgumentReader {
    package mutating func string(_ key: String) throws(DriverError) -> String {
        try require(key, optionalString(key))
    }

    package mutating func optionalString(_ key: String) throws(DriverError) -> String? {
        try optional(key, "a string", \.asString)
    }

    /// A string that follows a grammar.
    package mutating func name(_ key: String, _ grammar: Grammar) throws(DriverError) -> String {
        try require(key, optionalName(key, grammar))
    }

    package mutating func optionalName(_ key: String, _ grammar: Grammar) throws(DriverError) -> String? {
        guard let text = try optionalString(key) else { return nil }
        do {
            try grammar.check(text)
        } catch {
            throw .invalidArgument(key, "is no \(error.field): \"\(error.value)\" must be \(error.expectation)")
        }
        return text
    }

    package mutating func bool(_ key: String, default fallback: Bool) throws(DriverError) -> Bool {
        try optional(key, "true or false", \.asBool) ?? fallback
    }

    package mutating func integer(_ key: String, in range: ClosedRange<Int64>) throws(DriverError) -> Int64 {
        try require(key, optionalInteger(key, in: range))
    }

    package mutating func optionalInteger(
        _ key: String, in range: ClosedRange<Int64>
    ) throws(DriverError) -> Int64? {
        try optional(key, "a whole number from \(range.lowerBound) to \(range.upperBound)") {
            $0.asInteger.flatMap { range.contains($0) ? $0 : nil }
        }
    }

    package mutating func strings(_ key: String) throws(DriverError) -> [String]? {
        try optional(key, "a list of strings") { value in
            guard let values = value.asArray else { return nil }
            let texts = values.compactMap(\.asString)
            return texts.count == values.count ? texts : nil
        }
    }

    package mutating func object(_ key: String) throws(DriverError) -> JSONObject? {
        try optional(key, "an object", \.asObject)
    }

    private func require<Value>(_ key: String, _ value: Value?) throws(DriverError) -> Value {
        guard let value else { throw .invalidArgument(key, "is missing") }
        return value
    }
}

extension DriverError {
    /// An argument that cannot be used: `invalidArgument("dataset", "is missing")`.
    package static func invalidArgument(_ name: String, _ problem: String) -> DriverError {
        DriverError(.invalidArgument, "argument \(name) \(problem)")
    }
}
