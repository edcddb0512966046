@testable import WireProtocol

/// The JSON reader: the same value whatever the way round, numbers as the standard library reads them, limits kept.
enum JSON {
    static let targets = [
        FuzzTarget("json", longest: 8192) { input in
            let limits = JSONLimits(bytes: 4096, depth: 8, values: 64)
            if let value = try attempt({ () throws(JSONError) in try JSONParser.parse(input, limits: limits) }) {
                try require(input.count <= limits.bytes && depth(value) <= limits.depth, "a limit is passed")
                try require(count(value) <= limits.values, "\(count(value)) values")
            }
            guard let value = try attempt({ () throws(JSONError) in try JSONParser.parse(input) }) else { return }
            try roundTrips(value)
            try number(value, input)
        },
        FuzzTarget("text-coding") { input in
            let bytes = Array(input)
            try require(Base64.decode(Base64.encode(bytes)) == bytes, "base 64 loses bytes")
            if let decoded = Base64.decode(text(bytes)) {
                try require(Base64.encode(decoded) == text(bytes), "base 64 takes two forms for the same bytes")
            }
        },
    ]

    private static func roundTrips(_ value: JSONValue) throws {
        let encoded = value.encoded
        let again = try parsed(encoded)
        try require(again == value && again.hashValue == value.hashValue, "another value after encoding")
        try require(again.encoded == encoded, "encodes differently the second time")
        var sorted: [UInt8] = []
        value.encodeSorted(into: &sorted)
        try require(try parsed(sorted) == value, "another value after sorting")
        var twice: [UInt8] = []
        try parsed(sorted).encodeSorted(into: &twice)
        try require(twice == sorted, "sorted differently the second time")
    }

    private static func parsed(_ bytes: [UInt8]) throws -> JSONValue {
        do { return try JSONParser.parse(bytes, limits: .local) } catch {
            throw Violation(description: "refuses its own text: \(error)")
        }
    }

    /// A lone number is what the standard library makes of it.
    private static func number(_ value: JSONValue, _ input: UnsafeRawBufferPointer) throws {
        let digits = text(input.filter { ![0x20, 0x09, 0x0A, 0x0D].contains($0) })
        switch value {
        case .integer(let integer): try require(Int64(digits) == integer, "\(digits) read as \(integer)")
        case .number(let number):
            try require(Double(digits)?.bitPattern == number.bitPattern, "\(digits) read as \(number)")
        default: break
        }
    }

    private static func depth(_ value: JSONValue) -> Int {
        switch value {
        case .array(let values): 1 + (values.map(depth).max() ?? 0)
        case .object(let object): 1 + (object.members.map { depth($0.value) }.max() ?? 0)
        default: 0
        }
    }

    private static func count(_ value: JSONValue) -> Int {
        switch value {
        case .array(let values): 1 + values.reduce(0) { $0 + count($1) }
        case .object(let object): 1 + object.members.reduce(0) { $0 + count($1.value) }
        default: 1
        }
    }
}
