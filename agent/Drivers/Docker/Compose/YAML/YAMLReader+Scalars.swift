import WireProtocol

/// Values of keys and items, and the scalars that end by indentation.
extension YAMLReader {
    /// The value that begins with `text` on the present line, or stands on the lines below.
    /// - Parameter takesDashes: a list as deep as the key itself is the key's.
    mutating func value(
        _ text: ArraySlice<UInt8>, parent: Int, takesDashes: Bool
    ) throws(YAMLError) -> JSONValue {
        let text = text.drop { $0 == 0x20 || $0 == 0x09 }
        guard let first = text.first, first != 0x23 else { return try valueBelow(parent, takesDashes) }
        switch first {
        case 0x26: return try anchored(text, parent, takesDashes)
        case 0x21: throw fail("has a tag, which is not taken")
        case 0x40, 0x60, 0x25, 0x2C, 0x5D, 0x7D: throw fail("has a plain value that begins with a reserved character")
        case 0x7C, 0x3E: return try block(text, parent)
        case 0x22, 0x27, 0x5B, 0x7B, 0x2A:
            lines[row].text = text
            let value = try flowNode()
            let rest = row < lines.count ? lines[row].text : []
            let comment = rest.drop { $0 == 0x20 }
            guard comment.isEmpty || comment.first == 0x23 && comment.count < rest.count else {
                throw fail("has something behind the end of a value")
            }
            row += 1
            return value
        default: return try plain(text, parent)
        }
    }

    private mutating func valueBelow(_ parent: Int, _ takesDashes: Bool) throws(YAMLError) -> JSONValue {
        row += 1
        skipBlank()
        guard row < lines.count else { return .null }
        if takesDashes, lines[row].indent == parent, isDash(lines[row]) {
            // Read as if it stood one further right: the same items, and no key among them.
            return try node(above: parent - 1)
        }
        return try node(above: parent)
    }

    private mutating func anchored(
        _ text: ArraySlice<UInt8>, _ parent: Int, _ takesDashes: Bool
    ) throws(YAMLError) -> JSONValue {
        let (name, rest) = try name(text)
        guard anchors[name] == nil else { throw fail("repeats the anchor \(name)") }
        let before = weight
        let value = try value(rest, parent: parent, takesDashes: takesDashes)
        anchors[name] = Anchor(value: value, weight: weight - before)
        return value
    }

    /// The name of an anchor or alias, and what stands behind it.
    func name(_ text: ArraySlice<UInt8>) throws(YAMLError) -> (String, ArraySlice<UInt8>) {
        let word = text.dropFirst().prefix { $0 > 0x20 && !",[]{}".utf8.contains($0) }
        guard !word.isEmpty, word.count <= 200 else { throw fail("has an anchor without a name") }
        return (String(decoding: word, as: UTF8.self), text[word.endIndex...])
    }

    // MARK: plain

    private mutating func plain(_ text: ArraySlice<UInt8>, _ parent: Int) throws(YAMLError) -> JSONValue {
        guard Self.colon(text) == nil else { throw fail("has a second key") }
        guard !(text.first == 0x2D && text.dropFirst().first == 0x20) else { throw fail("has a list behind a key") }
        var (result, isCut) = Self.uncommented(text)
        row += 1
        var breaks = 1
        var isFolded = false
        while row < lines.count, !isCut {
            let line = lines[row]
            if line.isBlank {
                breaks += 1
            } else {
                guard line.indent > parent, !line.isComment else { break }
                guard Self.colon(line.text) == nil else { throw fail("has a key in the middle of a value") }
                let (more, cut) = Self.uncommented(line.text)
                result += breaks == 1 ? [0x20] : [UInt8](repeating: 0x0A, count: breaks - 1)
                result += more
                (breaks, isFolded, isCut) = (1, true, cut)
            }
            row += 1
        }
        try add(1 + result.count)
        let string = String(decoding: result, as: UTF8.self)
        return isFolded ? .string(string) : Self.resolve(string)
    }

    /// Without comment and spaces at the end.
    private static func uncommented(_ text: ArraySlice<UInt8>) -> (text: [UInt8], isCut: Bool) {
        var end = text.endIndex
        var isCut = false
        for place in text.indices.dropFirst()
        where text[place] == 0x23 && (text[place - 1] == 0x20 || text[place - 1] == 0x09) {
            (end, isCut) = (place, true)
            break
        }
        var result = Array(text[..<end])
        while let last = result.last, last == 0x20 || last == 0x09 { result.removeLast() }
        return (result, isCut)
    }

    /// What a plain scalar means. `yes`, `no`, `on` and `off` are texts and `22:22` is no number, as those who write them
    /// expect; a leading zero makes an octal number, as every reader of compose files has it.
    static func resolve(_ text: String) -> JSONValue {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        default: break
        }
        guard let first = text.utf8.first, first >= 0x30 && first <= 0x39 || first == 0x2D || first == 0x2E else {
            return .string(text)
        }
        let digits = text.utf8.drop { $0 == 0x2D }
        if digits.count > 1, digits.first == 0x30, digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) {
            return Int64(text, radix: 8).map { .integer($0) } ?? .string(text)
        }
        if text.hasPrefix("0x") { return Int64(text.dropFirst(2), radix: 16).map { .integer($0) } ?? .string(text) }
        if text.hasPrefix("0o") { return Int64(text.dropFirst(2), radix: 8).map { .integer($0) } ?? .string(text) }
        if let whole = Int64(text) { return .integer(whole) }
        let isNumber = text.utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 || "+-.eE".utf8.contains($0) }
        if isNumber, let number = Double(text), number.isFinite { return .number(number) }
        return .string(text)
    }

    // MARK: literal and folded

    private mutating func block(_ header: ArraySlice<UInt8>, _ parent: Int) throws(YAMLError) -> JSONValue {
        let isLiteral = header.first == 0x7C
        var chomping: UInt8?
        var indent: Int?
        for byte in Self.uncommented(header).text.dropFirst() {
            if byte == 0x2B || byte == 0x2D, chomping == nil {
                chomping = byte
            } else if (0x31...0x39).contains(byte), indent == nil {
                indent = max(0, parent) + Int(byte - 0x30)
            } else {
                throw fail("has an unknown sign behind \(isLiteral ? "|" : ">")")
            }
        }
        row += 1
        let text = try blockText(isLiteral, indent, parent)
        var bytes = text.drop { _ in false }
        let end = bytes.lastIndex { $0 != 0x0A }.map { $0 + 1 } ?? bytes.startIndex
        switch chomping {
        case 0x2B: break
        case 0x2D: bytes = bytes[..<end]
        default: bytes = end == bytes.startIndex ? [] : bytes[..<min(end + 1, bytes.endIndex)]
        }
        try add(1 + bytes.count)
        return .string(String(decoding: bytes, as: UTF8.self))
    }

    /// The lines of the scalar, each with its line end.
    private mutating func blockText(
        _ isLiteral: Bool, _ given: Int?, _ parent: Int
    ) throws(YAMLError) -> [UInt8] {
        var contents: [ArraySlice<UInt8>] = []
        var indent = given
        while row < lines.count {
            let raw = lines[row].raw
            let spaces = raw.prefix { $0 == 0x20 }.count
            if spaces == raw.count {
                contents.append(raw.dropFirst(min(indent ?? spaces, spaces)))
            } else {
                if indent == nil { indent = spaces }
                guard let indent, indent > parent, spaces >= indent else { break }
                contents.append(raw.dropFirst(indent))
            }
            row += 1
        }
        // The piece behind the last line end is no line.
        if row == lines.count, contents.last?.isEmpty == true { contents.removeLast() }
        guard !isLiteral else { return contents.flatMap { Array($0) + [0x0A] } }
        return Self.folded(contents)
    }

    /// Line ends between lines of text become spaces; those beside empty and further indented lines stay.
    private static func folded(_ lines: [ArraySlice<UInt8>]) -> [UInt8] {
        var result: [UInt8] = []
        var last: ArraySlice<UInt8>?
        var blanks = 0
        func keeps(_ line: ArraySlice<UInt8>) -> Bool { line.first == 0x20 || line.first == 0x09 }
        for line in lines {
            if line.isEmpty {
                blanks += 1
                continue
            }
            if let before = last {
                let isKept = keeps(before) || keeps(line)
                let count = isKept ? blanks + 1 : blanks
                result += count == 0 ? [0x20] : [UInt8](repeating: 0x0A, count: count)
            } else {
                result += [UInt8](repeating: 0x0A, count: blanks)
            }
            result += line
            (last, blanks) = (line, 0)
        }
        return result + (last == nil ? [] : [0x0A]) + [UInt8](repeating: 0x0A, count: blanks)
    }
}
