/// A cursor over bytes that reads the tokens of JSON. Every read is checked against the end, in release builds too.
struct JSONScanner {
    private let bytes: UnsafeBufferPointer<UInt8>
    private(set) var position = 0

    /// - Parameter raw: must stay valid for the life of the scanner.
    init(_ raw: UnsafeRawBufferPointer) {
        bytes = raw.bindMemory(to: UInt8.self)
    }

    /// The byte under the cursor; nil at the end.
    @inline(__always)
    var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    func error(_ problem: JSONError.Problem) -> JSONError {
        JSONError(problem, at: position)
    }

    /// The end of input and a wrong byte are different mistakes.
    func unexpected() -> JSONError {
        error(current == nil ? .truncated : .unexpected)
    }

    @inline(__always)
    mutating func skipWhitespace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    /// Takes the byte when it is the next one.
    @inline(__always)
    mutating func take(_ byte: UInt8) -> Bool {
        guard current == byte else { return false }
        position += 1
        return true
    }

    @inline(__always)
    mutating func expect(_ byte: UInt8) throws(JSONError) {
        guard take(byte) else { throw unexpected() }
    }

    mutating func expect(literal: StaticString) throws(JSONError) {
        for index in 0..<literal.utf8CodeUnitCount { try expect(literal.utf8Start[index]) }
    }

    /// True, and the cursor behind it, when these bytes come next; else nothing changed.
    mutating func take(literal: StaticString) -> Bool {
        let count = literal.utf8CodeUnitCount
        guard bytes.count - position >= count else { return false }
        for index in 0..<count where bytes[position + index] != literal.utf8Start[index] { return false }
        position += count
        return true
    }
}

// MARK: - Texts of known form

extension JSONScanner {
    /// That many lower hexadecimal digits.
    mutating func lowerHexadecimal(count: Int) -> String? {
        guard bytes.count - position >= count else { return nil }
        let digits = UnsafeBufferPointer(rebasing: bytes[position..<position + count])
        guard digits.allSatisfy(isLowerHexadecimal) else { return nil }
        position += count
        return String(decoding: digits, as: UTF8.self)
    }
}

// MARK: - Numbers

extension JSONScanner {
    enum Number {
        case integer(Int64)
        case double(Double)
    }

    /// Longer numbers than the longest double in plain notation are an attempt at something else.
    private static let maximumNumberBytes = 400

    mutating func number() throws(JSONError) -> Number {
        let start = position
        let negative = take(0x2D)
        var digits = Significand()
        if !take(0x30) {
            guard try run(into: &digits) else { throw numberError() }
        }
        var exponent = 0
        var whole = true
        if take(0x2E) {
            whole = false
            let before = position
            guard try run(into: &digits) else { throw numberError() }
            exponent = before - position
        }
        if let byte = current, byte | 0x20 == 0x65 {
            whole = false
            position += 1
            exponent += try writtenExponent()
        }
        if let byte = current, byte == 0x2E || (0x30...0x39).contains(byte) { throw error(.invalidNumber) }
        guard position - start <= Self.maximumNumberBytes else { throw JSONError(.invalidNumber, at: start) }
        if whole, let value = digits.integer(negative: negative) { return .integer(value) }
        if let value = digits.double(negative: negative, exponent: exponent) { return .double(value) }
        let text = String(decoding: UnsafeBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
        guard let value = Double(text), value.isFinite else { throw JSONError(.numberOutOfRange, at: start) }
        return .double(value)
    }

    private func numberError() -> JSONError {
        error(current == nil ? .truncated : .invalidNumber)
    }

    /// Reads digits; false when there is none.
    @inline(__always)
    private mutating func run(into significand: inout Significand) throws(JSONError) -> Bool {
        let start = position
        while let byte = current, (0x30...0x39).contains(byte) {
            significand.append(byte &- 0x30)
            position += 1
        }
        return position > start
    }

    private mutating func writtenExponent() throws(JSONError) -> Int {
        let negative = take(0x2D)
        if !negative { _ = take(0x2B) }
        var value = 0
        let start = position
        while let byte = current, (0x30...0x39).contains(byte) {
            value = min(value * 10 + Int(byte &- 0x30), 100_000)
            position += 1
        }
        guard position > start else { throw numberError() }
        return negative ? -value : value
    }
}

/// The digits of a number as an integer, as long as they fit.
private struct Significand {
    private var value: UInt64 = 0
    private var overflowed = false

    @inline(__always)
    mutating func append(_ digit: UInt8) {
        let (product, tooBig) = value.multipliedReportingOverflow(by: 10)
        let (sum, spilled) = product.addingReportingOverflow(UInt64(digit))
        value = sum
        overflowed = overflowed || tooBig || spilled
    }

    func integer(negative: Bool) -> Int64? {
        guard !overflowed else { return nil }
        if negative { return value <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- value) : nil }
        return Int64(exactly: value)
    }

    /// Exact when both the digits and the power of ten are doubles without rounding: one operation, rounded once.
    func double(negative: Bool, exponent: Int) -> Double? {
        guard !overflowed, value <= 1 << 53, abs(exponent) <= 22 else { return nil }
        let magnitude = Double(value)
        let scaled = exponent < 0 ? magnitude / powersOfTen[-exponent] : magnitude * powersOfTen[exponent]
        return negative ? -scaled : scaled
    }
}

/// 10^0 to 10^22, all exact.
private let powersOfTen: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
]

// MARK: - Strings

extension JSONScanner {
    /// A quoted string, the cursor on its opening quote.
    mutating func string() throws(JSONError) -> String {
        try expect(0x22)
        let start = position
        var seen: UInt8 = 0
        while let byte = current {
            if byte == 0x22 {
                let content = start..<position
                position += 1
                return try text(content, ascii: seen < 0x80)
            }
            if byte == 0x5C { return try escapedString(from: start) }
            guard byte >= 0x20 else { throw error(.controlCharacter) }
            seen |= byte
            position += 1
        }
        throw error(.truncated)
    }

    private func text(_ range: Range<Int>, ascii: Bool) throws(JSONError) -> String {
        let content = UnsafeBufferPointer(rebasing: bytes[range])
        if ascii { return String(decoding: content, as: UTF8.self) }
        guard let text = String(validating: content, as: UTF8.self) else {
            throw JSONError(.invalidUTF8, at: range.lowerBound)
        }
        return text
    }

    /// Continues at the first backslash of a string that began at `start`.
    private mutating func escapedString(from start: Int) throws(JSONError) -> String {
        var content = [UInt8](bytes[start..<position])
        while let byte = current {
            position += 1
            switch byte {
            case 0x22:
                guard let text = String(validating: content, as: UTF8.self) else {
                    throw JSONError(.invalidUTF8, at: start)
                }
                return text
            case 0x5C: try escape(into: &content)
            case 0..<0x20: throw JSONError(.controlCharacter, at: position - 1)
            default: content.append(byte)
            }
        }
        throw error(.truncated)
    }

    private mutating func escape(into content: inout [UInt8]) throws(JSONError) {
        guard let byte = current else { throw error(.truncated) }
        switch byte {
        case 0x22, 0x5C, 0x2F: content.append(byte)
        case 0x62: content.append(0x08)
        case 0x66: content.append(0x0C)
        case 0x6E: content.append(0x0A)
        case 0x72: content.append(0x0D)
        case 0x74: content.append(0x09)
        case 0x75:
            position += 1
            content.append(contentsOf: UTF8.encode(try escapedScalar()) ?? .init())
            return
        default: throw error(.invalidEscape)
        }
        position += 1
    }

    /// The digits after `\u`, and the low half that must follow a high one.
    private mutating func escapedScalar() throws(JSONError) -> Unicode.Scalar {
        let start = position
        let first = try hexadecimal()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, take(0x5C), take(0x75) else { throw JSONError(.loneSurrogate, at: start) }
        let second = try hexadecimal()
        guard (0xDC00...0xDFFF).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw JSONError(.loneSurrogate, at: start) }
        return scalar
    }

    private mutating func hexadecimal() throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = current else { throw error(.truncated) }
            switch byte {
            case 0x30...0x39: value = value << 4 | UInt32(byte - 0x30)
            case 0x41...0x46, 0x61...0x66: value = value << 4 | UInt32((byte | 0x20) - 0x61 + 10)
            default: throw error(.invalidEscape)
            }
            position += 1
        }
        return value
    }
}
