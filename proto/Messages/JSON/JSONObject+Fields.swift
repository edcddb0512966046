/// Typed reading of members. A member that is there must have the right type; `null` is not the same as absent.
extension JSONObject {
    private func read<T>(
        _ key: String, _ kind: String, _ convert: (JSONValue) -> T?
    ) throws(FieldError) -> T? {
        guard let value = self[key] else { return nil }
        guard let result = convert(value) else { throw FieldError(path: key, problem: .type(expected: kind)) }
        return result
    }

    private func required<T>(_ key: String, _ value: T?) throws(FieldError) -> T {
        guard let value else { throw FieldError(path: key, problem: .missing) }
        return value
    }

    package func optionalString(_ key: String) throws(FieldError) -> String? { try read(key, "a string", \.asString) }
    package func string(_ key: String) throws(FieldError) -> String { try required(key, try optionalString(key)) }

    package func optionalBool(_ key: String) throws(FieldError) -> Bool? { try read(key, "true or false", \.asBool) }
    package func bool(_ key: String) throws(FieldError) -> Bool { try required(key, try optionalBool(key)) }

    /// Takes `1.0` and `1e3` too, as JSON Schema does; nothing beyond `Int64`.
    package func optionalInteger(_ key: String) throws(FieldError) -> Int64? {
        try read(key, "a whole number of 64 bits", \.asInteger)
    }
    package func integer(_ key: String) throws(FieldError) -> Int64 { try required(key, try optionalInteger(key)) }

    package func optionalInteger(_ key: String, in range: ClosedRange<Int64>) throws(FieldError) -> Int64? {
        guard let value = try optionalInteger(key) else { return nil }
        guard range.contains(value) else {
            let bounds =
                range.upperBound == .max
                ? "at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
            throw FieldError(path: key, problem: .value(expected: bounds))
        }
        return value
    }
    package func integer(_ key: String, in range: ClosedRange<Int64>) throws(FieldError) -> Int64 {
        try required(key, try optionalInteger(key, in: range))
    }

    package func optionalNumber(_ key: String) throws(FieldError) -> Double? { try read(key, "a number", \.asNumber) }
    package func number(_ key: String) throws(FieldError) -> Double { try required(key, try optionalNumber(key)) }

    package func optionalObject(_ key: String) throws(FieldError) -> JSONObject? {
        try read(key, "an object", \.asObject)
    }
    package func object(_ key: String) throws(FieldError) -> JSONObject { try required(key, try optionalObject(key)) }

    package func optionalArray(_ key: String) throws(FieldError) -> [JSONValue]? {
        try read(key, "an array", \.asArray)
    }
    package func array(_ key: String) throws(FieldError) -> [JSONValue] { try required(key, try optionalArray(key)) }
}

/// Nested values; errors carry the whole path.
extension JSONObject {
    /// Each element of an array, converted; nil from `convert` means the wrong type.
    private func elements<T>(
        _ key: String, limit: Int, _ kind: String, _ convert: (JSONValue) -> T?
    ) throws(FieldError) -> [T]? {
        guard let array = try optionalArray(key) else { return nil }
        guard array.count <= limit else { throw FieldError(path: key, problem: .tooMany(limit: limit)) }
        var result: [T] = []
        result.reserveCapacity(array.count)
        for (index, value) in array.enumerated() {
            guard let element = convert(value) else {
                throw FieldError(path: "\(key)[\(index)]", problem: .type(expected: kind))
            }
            result.append(element)
        }
        return result
    }

    package func optionalStrings(_ key: String, limit: Int = .max) throws(FieldError) -> [String]? {
        try elements(key, limit: limit, "a string", \.asString)
    }
    package func strings(_ key: String, limit: Int = .max) throws(FieldError) -> [String] {
        try required(key, try optionalStrings(key, limit: limit))
    }

    package func optionalIntegers(_ key: String, limit: Int = .max) throws(FieldError) -> [Int64]? {
        try elements(key, limit: limit, "a whole number of 64 bits", \.asInteger)
    }
    package func integers(_ key: String, limit: Int = .max) throws(FieldError) -> [Int64] {
        try required(key, try optionalIntegers(key, limit: limit))
    }

    /// A type read from the object under `key`.
    package func optionalNested<T>(
        _ key: String, _ make: (JSONObject) throws(FieldError) -> T
    ) throws(FieldError) -> T? {
        guard let object = try optionalObject(key) else { return nil }
        do throws(FieldError) { return try make(object) } catch { throw error.under(key) }
    }
    package func nested<T>(_ key: String, _ make: (JSONObject) throws(FieldError) -> T) throws(FieldError) -> T {
        try required(key, try optionalNested(key, make))
    }

    /// A type read from each object of the array under `key`.
    package func optionalList<T>(
        _ key: String, limit: Int = .max, _ make: (JSONObject) throws(FieldError) -> T
    ) throws(FieldError) -> [T]? {
        guard let objects = try elements(key, limit: limit, "an object", \.asObject) else { return nil }
        var result: [T] = []
        result.reserveCapacity(objects.count)
        for (index, object) in objects.enumerated() {
            do throws(FieldError) { result.append(try make(object)) } catch { throw error.under("\(key)[\(index)]") }
        }
        return result
    }
    package func list<T>(
        _ key: String, limit: Int = .max, _ make: (JSONObject) throws(FieldError) -> T
    ) throws(FieldError) -> [T] {
        try required(key, try optionalList(key, limit: limit, make))
    }

    /// For configuration files, where an unknown key is a typing mistake.
    package func allowOnly(_ keys: Set<String>) throws(FieldError) {
        for key in self.keys where !keys.contains(key) { throw FieldError(path: key, problem: .unknownKey) }
    }
}
