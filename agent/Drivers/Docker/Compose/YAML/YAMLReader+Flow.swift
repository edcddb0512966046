import WireProtocol

/// Quoted scalars and collections in brackets: they may go over several lines, whose indentation says nothing.
extension YAMLReader {
    /// The node at the beginning of the present line's text; leaves there what stands behind it.
    mutating func flowNode(inCollection: Bool = false) throws(YAMLError) -> JSONValue {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else { throw fail("is nested too deeply") }
        switch peek {
        case 0x22: return .string(try doubleQuoted())
        case 0x27: return .string(try singleQuoted())
        case 0x5B: return try flowSequence()
        case 0x7B: return try flowMapping()
        case 0x2A:
            let (name, rest) = try name(lines[row].text)
            guard let anchor = anchors[name] else { throw fail("names the anchor \(name), which is not there") }
            lines[row].text = rest
            // All of it stands that much deeper here.
            try add(anchor.weight * (1 + depth))
            return anchor.value
        case 0x26:
            let (name, rest) = try name(lines[row].text)
            guard anchors[name] == nil else { throw fail("repeats the anchor \(name)") }
            lines[row].text = rest
            try skipFlowSpace()
            let before = weight
            let value = try flowNode(inCollection: inCollection)
            anchors[name] = Anchor(value: value, weight: weight - before)
            return value
        case 0x21: throw fail("has a tag, which is not taken")
        case nil: throw fail("ends in the middle of a value")
        default:
            guard inCollection else { throw fail("has a value in an unknown form") }
            return try flowPlain()
        }
    }

    private var peek: UInt8? { row < lines.count ? lines[row].text.first : nil }

    private mutating func take() { lines[row].text.removeFirst() }

    /// To the next character that means something, over comments and line ends.
    private mutating func skipFlowSpace() throws(YAMLError) {
        while row < lines.count {
            let rest = lines[row].text.drop { $0 == 0x20 || $0 == 0x09 }
            let isComment =
                rest.first == 0x23
                && (rest.count < lines[row].text.count || rest.startIndex == lines[row].raw.startIndex)
            lines[row].text = isComment ? [] : rest
            if !lines[row].text.isEmpty { return }
            row += 1
        }
        throw fail("ends in the middle of a collection")
    }

    private mutating func flowSequence() throws(YAMLError) -> JSONValue {
        take()
        var values: [JSONValue] = []
        while true {
            try skipFlowSpace()
            if peek == 0x5D { break }
            try add(1)
            values.append(try flowNode(inCollection: true))
            try skipFlowSpace()
            if peek == 0x5D { break }
            guard peek == 0x2C else { throw fail("has a list without a comma or a bracket") }
            take()
        }
        take()
        return .array(values)
    }

    private mutating func flowMapping() throws(YAMLError) -> JSONValue {
        take()
        var object: JSONObject = [:]
        var merged: [JSONObject] = []
        while true {
            try skipFlowSpace()
            if peek == 0x7D { break }
            let isPlain = peek != 0x22 && peek != 0x27
            let name = try flowKey()
            try add(1 + name.utf8.count)
            try skipFlowSpace()
            var value = JSONValue.null
            if peek == 0x3A {
                take()
                try skipFlowSpace()
                if peek != 0x2C, peek != 0x7D { value = try flowNode(inCollection: true) }
                try skipFlowSpace()
            }
            if name == "<<", isPlain {
                merged += try sources(value, at: row)
            } else {
                guard object[name] == nil else { throw fail("repeats the key \(name)") }
                object[name] = value
            }
            if peek == 0x7D { break }
            guard peek == 0x2C else { throw fail("has a mapping without a comma or a brace") }
            take()
        }
        take()
        return .object(try merge(merged, into: object))
    }

    private mutating func flowKey() throws(YAMLError) -> String {
        switch peek {
        case 0x22: return try doubleQuoted()
        case 0x27: return try singleQuoted()
        case 0x5B, 0x7B, 0x2A, 0x26, 0x21, 0x3F: throw fail("has a key that is no scalar")
        default: return String(decoding: try flowPlainText(), as: UTF8.self)
        }
    }

    private mutating func flowPlain() throws(YAMLError) -> JSONValue {
        let text = try flowPlainText()
        try add(text.count)
        return Self.resolve(String(decoding: text, as: UTF8.self))
    }

    private mutating func flowPlainText() throws(YAMLError) -> [UInt8] {
        var result: [UInt8] = []
        guard let first = peek, !",]}|>@`%".utf8.contains(first) else { throw fail("has no value where one should be") }
        while let byte = peek, !",[]{}".utf8.contains(byte) {
            let next = lines[row].text.dropFirst().first
            if byte == 0x3A, next == nil || next == 0x20 || ",[]{}".utf8.contains(next ?? 0) { break }
            if byte == 0x23, result.last == 0x20 { break }
            result.append(byte)
            take()
        }
        while result.last == 0x20 || result.last == 0x09 { result.removeLast() }
        guard !result.isEmpty else { throw fail("has no value where one should be") }
        return result
    }

    // MARK: quoted

    private mutating func singleQuoted() throws(YAMLError) -> String {
        take()
        var result: [UInt8] = []
        while true {
            guard let byte = peek else {
                try foldLine(&result)
                continue
            }
            take()
            if byte == 0x27 {
                guard peek == 0x27 else { break }
                take()
            }
            result.append(byte)
        }
        try add(1 + result.count)
        return String(decoding: result, as: UTF8.self)
    }

    private mutating func doubleQuoted() throws(YAMLError) -> String {
        take()
        var result: [UInt8] = []
        // Spaces before a line end go, unless they were written as escapes.
        var kept = 0
        while true {
            guard let byte = peek else {
                try foldLine(&result, keeping: kept)
                kept = result.count
                continue
            }
            take()
            if byte == 0x22 { break }
            guard byte == 0x5C else {
                result.append(byte)
                continue
            }
            try escape(&result)
            kept = result.count
        }
        try add(1 + result.count)
        return String(decoding: result, as: UTF8.self)
    }

    /// A line end within quotes is a space; each empty line after it is a line end.
    private mutating func foldLine(_ result: inout [UInt8], keeping kept: Int = 0) throws(YAMLError) {
        while result.count > kept, let last = result.last, last == 0x20 || last == 0x09 { result.removeLast() }
        var breaks = 0
        repeat {
            row += 1
            guard row < lines.count else { throw fail("ends in the middle of a quoted text") }
            lines[row].text = lines[row].text.drop { $0 == 0x20 || $0 == 0x09 }
            breaks += 1
        } while lines[row].text.isEmpty
        result += breaks == 1 ? [0x20] : [UInt8](repeating: 0x0A, count: breaks - 1)
    }

    private static let escapes: [UInt8: [UInt8]] = [
        0x61: [7], 0x62: [8], 0x74: [9], 0x09: [9], 0x6E: [10], 0x76: [11], 0x66: [12], 0x72: [13], 0x65: [27],
        0x20: [32], 0x22: [34], 0x2F: [47], 0x5C: [92], 0x4E: [0xC2, 0x85], 0x5F: [0xC2, 0xA0],
        0x4C: [0xE2, 0x80, 0xA8], 0x50: [0xE2, 0x80, 0xA9],
    ]

    private mutating func escape(_ result: inout [UInt8]) throws(YAMLError) {
        guard let byte = peek else {
            // An escaped line end is nothing at all.
            row += 1
            guard row < lines.count else { throw fail("ends in the middle of a quoted text") }
            lines[row].text = lines[row].text.drop { $0 == 0x20 || $0 == 0x09 }
            return
        }
        take()
        if let bytes = Self.escapes[byte] {
            result += bytes
            return
        }
        guard let length = [UInt8(0x78): 2, 0x75: 4, 0x55: 8][byte] else { throw fail("has an unknown escape") }
        var code = try hexadecimal(length)
        if length == 4, (0xD800..<0xDC00).contains(code), lines[row].text.starts(with: "\\u".utf8) {
            take()
            take()
            let low = try hexadecimal(4)
            guard (0xDC00..<0xE000).contains(low) else { throw fail("has half of a character") }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard code > 0, let scalar = Unicode.Scalar(code) else { throw fail("has an escape that is no character") }
        result += Array(String(scalar).utf8)
    }

    private mutating func hexadecimal(_ length: Int) throws(YAMLError) -> UInt32 {
        let digits = lines[row].text.prefix(length)
        guard digits.count == length, digits.allSatisfy({ Unicode.Scalar($0).properties.isASCIIHexDigit }),
            let code = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw fail("has an escape without its digits") }
        lines[row].text = lines[row].text.dropFirst(length)
        return code
    }
}
