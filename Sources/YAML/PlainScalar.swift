import WireProtocol

/// A scalar without quotes, whose look says what it is. The two readers' rules stand beside each other: in each, the first
/// form that fits counts, and what fits none is a text.
struct PlainScalar {
    typealias Refusal = YAMLSchema.Refusal

    private let text: String
    private let bytes: [UInt8]

    init(_ text: String) {
        self.text = text
        bytes = Array(text.utf8)
    }

    func asPyYAML() throws(Refusal) -> JSONValue {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON": return .bool(true)
        case "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF": return .bool(false)
        case "=", "<<": throw Refusal("is \(text), a sign of YAML's own: put it in quotes")
        default: break
        }
        guard beginsLikeNumber else { return .string(text) }
        try refuseNoJSON()
        let (isNegative, body) = signed
        if let (digits, radix) = Self.pyYAMLDigits(body) { return try Self.integer(digits, radix, isNegative) }
        if Self.countsInSixties(body) {
            throw Refusal("is \(YAMLReader.short(text)), a number in sixties to docker-compose 1.29: put it in quotes")
        }
        // A dot in front takes no sign and wants a digit behind it.
        let isDotted = bytes.first == 0x2E && bytes.dropFirst().first.map(Self.isDigit) == true
        guard Self.isFraction(isDotted ? [0x30] + body : body) else { return .string(text) }
        return .number(try Self.finite(bytes.filter { $0 != 0x5F }))
    }

    func asGoYAML() throws(Refusal) -> JSONValue {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        case "<<": throw Refusal("is <<, a sign of YAML's own: put it in quotes")
        default: break
        }
        guard beginsLikeNumber else { return .string(text) }
        try refuseNoJSON()
        let isDotted = bytes.first == 0x2E
        let plain = isDotted ? bytes : bytes.filter { $0 != 0x5F }
        let hasSign = plain.first == 0x2D || plain.first == 0x2B
        let body = plain.dropFirst(hasSign ? 1 : 0)
        let isDecimal = Self.isGoNumber(body)
        if !isDotted, let (digits, radix) = Self.goYAMLDigits(body) {
            if let number = Self.whole(digits, radix, plain.first == 0x2D) { return .integer(number) }
            let isFraction = isDecimal && (plain.first == 0x2D || UInt64(Self.string(digits), radix: radix) == nil)
            guard isFraction else { throw Refusal("is a whole number beyond 64 bits: put it in quotes") }
        }
        guard isDecimal, let number = Double(Self.string(plain)), number.isFinite else { return .string(text) }
        return .number(number)
    }

    // MARK: forms

    private var beginsLikeNumber: Bool {
        bytes.first.map { Self.isDigit($0) || $0 == 0x2D || $0 == 0x2B || $0 == 0x2E } ?? false
    }

    private var signed: (isNegative: Bool, body: ArraySlice<UInt8>) {
        let hasSign = bytes.first == 0x2D || bytes.first == 0x2B
        return (bytes.first == 0x2D, bytes.dropFirst(hasSign ? 1 : 0))
    }

    /// Dates and numbers without a value: compose refuses the ones and mangles the others.
    private func refuseNoJSON() throws(Refusal) {
        if [".inf", ".Inf", ".INF"].contains(Self.string(signed.body)) || [".nan", ".NaN", ".NAN"].contains(text) {
            throw Refusal("is \(text), a number without a value: put it in quotes")
        }
        if isDate { throw Refusal("is a date to compose: put it in quotes") }
    }

    /// `2026-01-31`, also with a time behind it.
    private var isDate: Bool {
        let parts = bytes.split(separator: 0x2D, maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].count == 4, parts[0].allSatisfy(Self.isDigit),
            (1...2).contains(parts[1].count),
            parts[1].allSatisfy(Self.isDigit)
        else { return false }
        let day = parts[2].prefix(while: Self.isDigit)
        guard (1...2).contains(day.count) else { return false }
        let rest = parts[2].dropFirst(day.count)
        guard let first = rest.first else { return true }
        guard [0x54, 0x74, 0x20, 0x09].contains(first) else { return false }
        let time = rest.dropFirst().drop { $0 == 0x20 || $0 == 0x09 }
        let hour = time.prefix(while: Self.isDigit)
        return (1...2).contains(hour.count) && time.dropFirst(hour.count).first == 0x3A
    }

    private static func pyYAMLDigits(_ body: ArraySlice<UInt8>) -> (ArraySlice<UInt8>, Int)? {
        if let digits = prefixed(body, 0x62), digits.allSatisfy({ (0x30...0x31).contains($0) || $0 == 0x5F }) {
            return (digits, 2)
        }
        if let digits = prefixed(body, 0x78), digits.allSatisfy({ isHexadecimal($0) || $0 == 0x5F }) {
            return (digits, 16)
        }
        guard let first = body.first, isDigit(first), body.allSatisfy({ isDigit($0) || $0 == 0x5F }) else { return nil }
        if first != 0x30 || body.count == 1 { return (body, 10) }
        return body.allSatisfy { $0 < 0x38 || $0 == 0x5F } ? (body, 8) : nil
    }

    /// Without underscores.
    private static func goYAMLDigits(_ body: ArraySlice<UInt8>) -> (ArraySlice<UInt8>, Int)? {
        for (sign, radix) in [(UInt8(0x78), 16), (0x6F, 8), (0x62, 2)] {
            if let digits = prefixed(body, sign) ?? prefixed(body, sign - 0x20) {
                let isWhole = digits.allSatisfy { Int(String(UnicodeScalar($0)), radix: radix) != nil }
                return isWhole ? (digits, radix) : nil
            }
        }
        guard let first = body.first, body.allSatisfy(isDigit) else { return nil }
        if first != 0x30 || body.count == 1 { return (body, 10) }
        return body.allSatisfy { $0 < 0x38 } ? (body, 8) : nil
    }

    /// What stands behind `0x` and its like; nil when nothing does.
    private static func prefixed(_ body: ArraySlice<UInt8>, _ sign: UInt8) -> ArraySlice<UInt8>? {
        body.count > 2 && body.first == 0x30 && body.dropFirst().first == sign ? body.dropFirst(2) : nil
    }

    /// `12:30` and `1:30.5` of YAML 1.1.
    private static func countsInSixties(_ body: ArraySlice<UInt8>) -> Bool {
        var parts = body.split(separator: 0x3A, omittingEmptySubsequences: false)
        guard parts.count >= 2, let first = parts[0].first, isDigit(first),
            parts[0].allSatisfy({ isDigit($0) || $0 == 0x5F })
        else { return false }
        let last = parts[parts.count - 1]
        let whole = last.prefix { $0 != 0x2E }
        parts[parts.count - 1] = whole
        let fraction = last.dropFirst(whole.count)
        guard fraction.dropFirst().allSatisfy({ isDigit($0) || $0 == 0x5F }), first != 0x30 || !fraction.isEmpty else {
            return false
        }
        return parts.dropFirst().allSatisfy { part in
            (1...2).contains(part.count) && part.allSatisfy(isDigit) && (part.count == 1 || part.first ?? 0 < 0x36)
        }
    }

    /// `1.5`, `1_0.`, `1.5e+3`: digits and a dot, an exponent only with its sign.
    private static func isFraction(_ body: ArraySlice<UInt8>) -> Bool {
        guard let first = body.first, isDigit(first) else { return false }
        var rest = body.drop { isDigit($0) || $0 == 0x5F }
        guard rest.popFirst() == 0x2E else { return false }
        rest = rest.drop { isDigit($0) || $0 == 0x5F }
        guard let exponent = rest.popFirst() else { return true }
        guard exponent | 0x20 == 0x65, let sign = rest.popFirst(), sign == 0x2B || sign == 0x2D else { return false }
        return !rest.isEmpty && rest.allSatisfy(isDigit)
    }

    /// Digits with at most one dot among or before them, and an exponent with or without a sign.
    private static func isGoNumber(_ body: ArraySlice<UInt8>) -> Bool {
        let whole = body.prefix(while: isDigit)
        var rest = body.dropFirst(whole.count)
        if rest.first == 0x2E {
            let fraction = rest.dropFirst().prefix(while: isDigit)
            guard !whole.isEmpty || !fraction.isEmpty else { return false }
            rest = rest.dropFirst(1 + fraction.count)
        } else if whole.isEmpty {
            return false
        }
        guard let exponent = rest.popFirst() else { return true }
        guard exponent | 0x20 == 0x65 else { return false }
        if rest.first == 0x2B || rest.first == 0x2D { rest = rest.dropFirst() }
        return !rest.isEmpty && rest.allSatisfy(isDigit)
    }

    // MARK: values

    private static func integer(_ digits: ArraySlice<UInt8>, _ radix: Int, _ isNegative: Bool) throws(Refusal)
        -> JSONValue
    {
        let digits = digits.filter { $0 != 0x5F }
        guard !digits.isEmpty else { throw Refusal("is a number without digits") }
        guard let number = whole(digits[...], radix, isNegative) else {
            throw Refusal("is a whole number beyond 64 bits: put it in quotes")
        }
        return .integer(number)
    }

    private static func whole(_ digits: ArraySlice<UInt8>, _ radix: Int, _ isNegative: Bool) -> Int64? {
        Int64((isNegative ? "-" : "") + string(digits), radix: radix)
    }

    private static func finite(_ digits: [UInt8]) throws(Refusal) -> Double {
        guard let number = Double(string(digits)), number.isFinite else {
            throw Refusal("is a number too large to be kept: put it in quotes")
        }
        return number
    }

    private static func string(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isHexadecimal(_ byte: UInt8) -> Bool { isDigit(byte) || (0x61...0x66).contains(byte | 0x20) }
}
