package import WireProtocol

/// Takes the arguments of a call, which its action's specification has read, by name and type, and refuses what nobody has
/// taken.
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
        guard let result = read(value) else { throw .invalidArgument(key, "must be \(expectation)") }
        return result
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

    package mutating func bool(_ key: String) throws(DriverError) -> Bool {
        try require(key, optionalBool(key))
    }

    package mutating func optionalBool(_ key: String) throws(DriverError) -> Bool? {
        try optional(key, "true or false", \.asBool)
    }

    package mutating func integer(_ key: String) throws(DriverError) -> Int64 {
        try require(key, optionalInteger(key))
    }

    package mutating func optionalInteger(_ key: String) throws(DriverError) -> Int64? {
        try optional(key, "a whole number", \.asInteger)
    }

    package mutating func strings(_ key: String) throws(DriverError) -> [String]? {
        try optional(key, "a list of strings") { value in value.asArray?.allOf(\.asString) }
    }

    package mutating func objects(_ key: String) throws(DriverError) -> [JSONObject]? {
        try optional(key, "a list of objects") { value in value.asArray?.allOf(\.asObject) }
    }

    package mutating func object(_ key: String) throws(DriverError) -> JSONObject? {
        try optional(key, "an object", \.asObject)
    }

    private func require<Value>(_ key: String, _ value: Value?) throws(DriverError) -> Value {
        guard let value else { throw .invalidArgument(key, "is missing") }
        return value
    }
}

extension [JSONValue] {
    /// Each as `read` makes it; nil where one is not.
    fileprivate func allOf<Value>(_ read: (JSONValue) -> Value?) -> [Value]? {
        let values = compactMap(read)
        return values.count == count ? values : nil
    }
}

extension DriverError {
    /// An argument that cannot be used: `invalidArgument("dataset", "is missing")`.
    package static func invalidArgument(_ name: String, _ problem: String) -> DriverError {
        DriverError(.invalidArgument, "argument \(name) \(problem)")
    }
}
