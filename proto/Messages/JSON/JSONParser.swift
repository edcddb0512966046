/// Reads one JSON text into a tree. Memory and depth are bounded by the limits; no input makes it trap.
package struct JSONParser {
    private var scanner: JSONScanner
    private let limits: JSONLimits
    private var valuesLeft: Int

    package static func parse(
        _ bytes: UnsafeRawBufferPointer, limits: JSONLimits = .wire
    ) throws(JSONError) -> JSONValue {
        guard bytes.count <= limits.bytes else { throw JSONError(.tooLong, at: limits.bytes) }
        var parser = JSONParser(scanner: JSONScanner(bytes), limits: limits, valuesLeft: limits.values)
        return try parser.document()
    }

    package static func parse(_ bytes: some Collection<UInt8>, limits: JSONLimits = .wire) throws(JSONError)
        -> JSONValue
    {
        try withBytes(of: bytes) { raw throws(JSONError) in try parse(raw, limits: limits) }
    }

    package static func parse(_ text: String, limits: JSONLimits = .wire) throws(JSONError) -> JSONValue {
        try parse(text.utf8, limits: limits)
    }

    private mutating func document() throws(JSONError) -> JSONValue {
        scanner.skipWhitespace()
        guard scanner.current != nil else { throw scanner.error(.empty) }
        let value = try value(depth: 0)
        scanner.skipWhitespace()
        guard scanner.current == nil else { throw scanner.error(.trailing) }
        return value
    }

    /// The cursor is on the first byte of the value.
    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard valuesLeft > 0 else { throw scanner.error(.tooManyValues) }
        valuesLeft -= 1
        switch scanner.current {
        case 0x22: return .string(try scanner.string())
        case 0x7B: return .object(try object(depth: depth + 1))
        case 0x5B: return .array(try array(depth: depth + 1))
        case 0x74: return try literal("true", .bool(true))
        case 0x66: return try literal("false", .bool(false))
        case 0x6E: return try literal("null", .null)
        case 0x2D, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37, 0x38, 0x39:
            switch try scanner.number() {
            case .integer(let value): return .integer(value)
            case .double(let value): return .number(value)
            }
        default: throw scanner.unexpected()
        }
    }

    private mutating func literal(_ text: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        try scanner.expect(literal: text)
        return value
    }

    private mutating func array(depth: Int) throws(JSONError) -> [JSONValue] {
        guard depth <= limits.depth else { throw scanner.error(.tooDeep) }
        try scanner.expect(0x5B)
        scanner.skipWhitespace()
        var elements: [JSONValue] = []
        if scanner.take(0x5D) { return elements }
        while true {
            elements.append(try value(depth: depth))
            scanner.skipWhitespace()
            if scanner.take(0x5D) { return elements }
            try scanner.expect(0x2C)
            scanner.skipWhitespace()
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONObject {
        guard depth <= limits.depth else { throw scanner.error(.tooDeep) }
        try scanner.expect(0x7B)
        scanner.skipWhitespace()
        var members = JSONObject()
        if scanner.take(0x7D) { return members }
        while true {
            let start = scanner.position
            let key = try scanner.string()
            scanner.skipWhitespace()
            try scanner.expect(0x3A)
            scanner.skipWhitespace()
            guard members.insert(key, try value(depth: depth)) else { throw JSONError(.duplicateKey, at: start) }
            scanner.skipWhitespace()
            if scanner.take(0x7D) { return members }
            try scanner.expect(0x2C)
            scanner.skipWhitespace()
        }
    }
}

/// The bytes in one piece, copied only when the collection does not have them so.
func withBytes<T, E: Error>(
    of bytes: some Collection<UInt8>, _ body: (UnsafeRawBufferPointer) throws(E) -> T
) throws(E) -> T {
    func attempt(_ buffer: UnsafeBufferPointer<UInt8>) -> Result<T, E> {
        do throws(E) { return .success(try body(UnsafeRawBufferPointer(buffer))) } catch { return .failure(error) }
    }
    let result = bytes.withContiguousStorageIfAvailable(attempt) ?? Array(bytes).withUnsafeBufferPointer(attempt)
    return try result.get()
}
