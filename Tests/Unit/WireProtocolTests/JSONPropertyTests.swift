import TestSupport
import Testing
import WireProtocol

@Suite struct `JSON values` {
    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `any tree survives writing and reading, to the byte`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<25 {
            let value = JSONValue.random(depth: 4, using: &generator)
            let parsed = try JSONParser.parse(value.encoded)
            #expect(parsed == value)
            #expect(parsed.encoded == value.encoded)
        }
    }

    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func `a number reads as the standard library reads it`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            let digits = String(
                UInt64.random(in: 0 ... .max, using: &generator) >> UInt64.random(in: 0..<64, using: &generator))
            let fraction = String(UInt64.random(in: 0...999_999_999_999, using: &generator))
            let text = "-\(digits).\(fraction)e\(Int.random(in: -330...280, using: &generator))"
            let expected = try #require(Double(text))
            #expect(try JSONParser.parse(text).asNumber?.bitPattern == expected.bitPattern, "\(text)")
        }
    }

    @Test(arguments: [
        ("0", JSONValue.integer(0)), ("-0", 0), ("9223372036854775807", 9_223_372_036_854_775_807),
        ("-9223372036854775808", .integer(.min)), ("9223372036854775808", .number(9_223_372_036_854_775_808)),
        ("-9223372036854775809", .number(-9_223_372_036_854_775_808)),
        ("18446744073709551616", .number(18_446_744_073_709_551_616)),
        ("1.0", .number(1)), ("1e2", .number(100)), ("1E+2", .number(100)), ("1e-400", .number(0)),
        ("5e-324", .number(.leastNonzeroMagnitude)),
        ("0.1", .number(0.1)), ("1e308", .number(1e308)),
        ("123456789012345678901234567890", .number(1.2345678901234568e29)),
    ])
    func `a number has one reading`(text: String, value: JSONValue) throws {
        #expect(try JSONParser.parse(text) == value)
    }

    @Test func `minus zero keeps its sign as a double only`() throws {
        #expect(try JSONParser.parse("-0.0").asNumber?.sign == .minus)
        #expect(JSONValue.number(-0.0).text == "-0.0")
    }

    @Test func `not a number and infinity are written as null`() {
        #expect(JSONValue.array([.number(.nan), .number(.infinity), .number(-.infinity)]).text == "[null,null,null]")
    }

    @Test func `integers are written as the standard library writes them`() {
        let values: [Int64] = [.min, .min + 1, -10, -9, -1, 0, 1, 9, 10, 99, 100, 1_000_000, .max]
        for value in values { #expect(JSONValue.integer(value).text == "\(value)") }
    }

    @Test func `a whole double beyond 64 bits is no integer`() {
        #expect(JSONValue.number(9_223_372_036_854_775_808).asInteger == nil)
        #expect(JSONValue.number(1e3).asInteger == 1000)
        #expect(JSONValue.number(.nan).asInteger == nil)
    }

    @Test func `sorted encoding does not depend on the order of members`() {
        var one: [UInt8] = []
        var other: [UInt8] = []
        JSONValue.object(["b": ["y": 1, "x": 2], "a": 1]).encodeSorted(into: &one)
        JSONValue.object(["a": 1, "b": ["x": 2, "y": 1]]).encodeSorted(into: &other)
        #expect(one == other)
        #expect(String(decoding: one, as: UTF8.self) == #"{"a":1,"b":{"x":2,"y":1}}"#)
    }
}

@Suite struct `JSON limits` {
    @Test func `nesting up to the limit passes and one more is refused`() throws {
        for depth in [1, 31, 32] {
            let text = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            #expect(throws: Never.self) { try JSONParser.parse(text) }
        }
        let error = #expect(throws: JSONError.self) { try JSONParser.parse(String(repeating: "[", count: 33)) }
        #expect(error == JSONError(.tooDeep, at: 32))
    }

    @Test func `no limits make a stack overflow possible`() {
        let limits = JSONLimits(bytes: .max, depth: .max, values: .max)
        let text = String(repeating: "[{\"a\":", count: 1_000_000)
        let error = #expect(throws: JSONError.self) { try JSONParser.parse(text, limits: limits) }
        #expect(error?.problem == .tooDeep)
    }

    @Test func `exactly as many bytes as allowed pass`() throws {
        let limits = JSONLimits(bytes: 10)
        #expect(throws: Never.self) { try JSONParser.parse("[1,2,3,45]", limits: limits) }
        let error = #expect(throws: JSONError.self) { try JSONParser.parse("[1,2,3,456]", limits: limits) }
        #expect(error?.problem == .tooLong)
    }

    @Test func `exactly as many values as allowed pass`() throws {
        let limits = JSONLimits(bytes: 100, values: 4)
        #expect(throws: Never.self) { try JSONParser.parse("[1,{\"a\":2}]", limits: limits) }
        #expect(throws: JSONError.self) { try JSONParser.parse("[1,{\"a\":2},3]", limits: limits) }
    }

    @Test func `an error says where`() {
        let error = #expect(throws: JSONError.self) { try JSONParser.parse("{\"a\":1,\"b\":tru}") }
        #expect(error == JSONError(.unexpected, at: 14))
        #expect(error?.description == "unexpected character (byte 14)")
    }
}
