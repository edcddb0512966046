/// How much a parser takes before it refuses.
package struct JSONLimits: Sendable, Hashable {
    /// Longest input in bytes.
    package let bytes: Int
    /// Deepest nesting of arrays and objects; never more than 256, so that the stack suffices on any thread.
    package let depth: Int
    /// Most values in all, each element and member counted; bounds the memory of a tree to about 100 bytes a value.
    package let values: Int

    package init(bytes: Int, depth: Int = 32, values: Int = 100_000) {
        self.bytes = bytes
        self.depth = min(depth, 256)
        self.values = values
    }

    /// A line of the agent link: 1 MiB, 32 deep, 100,000 values.
    package static let wire = JSONLimits(bytes: ProtocolVersion.maximumLineBytes)
    /// An answer of a local tool or engine, which is trusted with more: 64 MiB, 128 deep, 2,000,000 values.
    package static let local = JSONLimits(bytes: 64 << 20, depth: 128, values: 2_000_000)
}

/// Why bytes are not JSON as this link takes it (RFC 8259, UTF-8, no duplicate keys, within limits).
package struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Problem: String, Sendable, Hashable, CaseIterable {
        case empty = "nothing there"
        case tooLong = "longer than the limit"
        case tooDeep = "nested deeper than the limit"
        case tooManyValues = "more values than the limit"
        case truncated = "ends in the middle"
        case unexpected = "unexpected character"
        case trailing = "something follows the value"
        case duplicateKey = "a key occurs twice"
        case invalidUTF8 = "a string is not UTF-8"
        case loneSurrogate = "an escaped surrogate without its other half"
        case invalidEscape = "an unknown escape"
        case controlCharacter = "an unescaped control character in a string"
        case invalidNumber = "not a number of JSON's grammar"
        case numberOutOfRange = "a number beyond the range of a double"
    }

    package let problem: Problem
    /// Bytes before the place where it was noticed.
    package let offset: Int

    package init(_ problem: Problem, at offset: Int) {
        self.problem = problem
        self.offset = offset
    }

    package var description: String { "\(problem.rawValue) (byte \(offset))" }

    /// A name that stays, for tests and metrics: `duplicate_key`.
    package var code: String { snakeCase("\(problem)") }
}

/// `tooManyValues` to `too_many_values`; a run of capitals counts as one word.
func snakeCase(_ name: String) -> String {
    var result = ""
    var afterCapital = true
    for character in name {
        if character.isUppercase && !afterCapital { result += "_" }
        afterCapital = character.isUppercase
        result += character.lowercased()
    }
    return result
}
