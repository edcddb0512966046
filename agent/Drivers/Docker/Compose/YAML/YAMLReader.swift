package import WireProtocol

/// Why a text is not taken.
package struct YAMLError: Error, Sendable, Hashable, CustomStringConvertible {
    /// Counted from 1.
    package let line: Int
    package let problem: String

    package var description: String { "line \(line): \(problem)" }
}

/// Reads one YAML document as values of JSON: block and flow collections, all five scalar styles, comments, anchors,
/// aliases and merge keys. Tags, directives, keys that are no scalars and further documents are refused rather than guessed.
///
/// Never traps and stays bounded on any input: what aliases multiply counts as often as it appears.
package struct YAMLReader {
    static let depthLimit = 64
    static let weightLimit = 4 << 20

    struct Line {
        let raw: ArraySlice<UInt8>
        let number: Int
        /// Column of the first character of `text`; grows when a dash before it has been read.
        var indent: Int
        var text: ArraySlice<UInt8>

        var isBlank: Bool { text.allSatisfy { $0 == 0x20 || $0 == 0x09 } }
        var isComment: Bool { text.first == 0x23 }
    }

    struct Anchor {
        let value: JSONValue
        let weight: Int
    }

    var lines: [Line]
    var row = 0
    var depth = 0
    /// Bytes and values made so far, each value with the margin that it stands behind when it is written.
    var weight = 0
    var anchors: [String: Anchor] = [:]

    package static func read(_ text: String) throws(YAMLError) -> JSONValue {
        var reader = try YAMLReader(text)
        return try reader.document()
    }

    private init(_ text: String) throws(YAMLError) {
        var bytes = Array(text.utf8)[...]
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        lines = []
        for raw in bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
            let line = raw.last == 0x0D ? raw.dropLast() : raw
            let number = lines.count + 1
            guard line.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
                throw YAMLError(line: number, problem: "has a control character")
            }
            let text = line.drop { $0 == 0x20 }
            lines.append(Line(raw: line, number: number, indent: line.count - text.count, text: text))
        }
    }

    private mutating func document() throws(YAMLError) -> JSONValue {
        skipBlank()
        if row < lines.count, isMark("---", lines[row]) {
            guard lines[row].text.dropFirst(3).allSatisfy({ $0 == 0x20 }) else { throw fail("has content behind ---") }
            row += 1
        }
        let value = try node(above: -1)
        skipBlank()
        if row < lines.count { throw fail("is not part of the document above") }
        return value
    }

    private func isMark(_ mark: String, _ line: Line) -> Bool {
        line.indent == 0 && line.text.starts(with: mark.utf8)
            && (line.text.count == 3 || line.text.dropFirst(3).first == 0x20)
    }

    // MARK: block collections

    /// The node whose lines are indented by more than `parent`; null when there is none.
    mutating func node(above parent: Int) throws(YAMLError) -> JSONValue {
        skipBlank()
        guard row < lines.count, lines[row].indent > parent else { return .null }
        let line = lines[row]
        if line.text.first == 0x09 { throw fail("is indented by a tab") }
        if line.indent == 0, line.text.first == 0x25 { throw fail("is a directive") }
        if isMark("---", line) || isMark("...", line) { throw fail("begins another document") }
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.depthLimit else { throw fail("is nested too deeply") }
        if isDash(line) { return try sequence(line.indent) }
        if try key(line.text) != nil { return try mapping(line.indent) }
        return try value(line.text, parent: parent, takesDashes: false)
    }

    func isDash(_ line: Line) -> Bool {
        line.text.first == 0x2D && (line.text.count == 1 || line.text.dropFirst().first == 0x20)
    }

    private mutating func sequence(_ indent: Int) throws(YAMLError) -> JSONValue {
        var values: [JSONValue] = []
        while true {
            skipBlank()
            guard row < lines.count, lines[row].indent == indent, isDash(lines[row]) else { break }
            try add(1)
            // What stands behind the dash is a line of its own that begins further right.
            let rest = lines[row].text.dropFirst()
            let text = rest.drop { $0 == 0x20 }
            if text.isEmpty || text.first == 0x23 {
                row += 1
                values.append(try node(above: indent))
            } else {
                lines[row].indent = indent + 1 + rest.count - text.count
                lines[row].text = text
                values.append(try node(above: indent))
            }
        }
        if row < lines.count, lines[row].indent > indent { throw fail("is indented unlike the list above") }
        return .array(values)
    }

    private mutating func mapping(_ indent: Int) throws(YAMLError) -> JSONValue {
        var object: JSONObject = [:]
        var merged: [JSONObject] = []
        while true {
            skipBlank()
            guard row < lines.count, lines[row].indent == indent, !isDash(lines[row]) else { break }
            if isMark("---", lines[row]) || isMark("...", lines[row]) { throw fail("begins another document") }
            guard lines[row].text.first != 0x09 else { throw fail("is indented by a tab") }
            guard let (name, rest, isPlain) = try key(lines[row].text) else { throw fail("has no key") }
            try add(1 + name.utf8.count)
            let number = row
            let value = try value(rest, parent: indent, takesDashes: true)
            if name == "<<", isPlain {
                merged += try sources(value, at: number)
            } else {
                guard object[name] == nil else { throw fail("repeats the key \(name)", at: number) }
                object[name] = value
            }
        }
        if row < lines.count, lines[row].indent > indent { throw fail("is indented unlike the keys above") }
        return .object(try merge(merged, into: object))
    }

    /// What a merge key names: a mapping or a list of them.
    func sources(_ value: JSONValue, at number: Int) throws(YAMLError) -> [JSONObject] {
        let values = value.asArray ?? [value]
        let objects = values.compactMap(\.asObject)
        guard objects.count == values.count else { throw fail("merges what is no mapping", at: number) }
        return objects
    }

    /// The first source that has a key gives it; what the mapping has itself stays.
    mutating func merge(_ sources: [JSONObject], into object: JSONObject) throws(YAMLError) -> JSONObject {
        var object = object
        for source in sources {
            for member in source.members where object[member.key] == nil {
                try add(1 + member.key.utf8.count)
                object[member.key] = member.value
            }
        }
        return object
    }

    /// The key that a line begins with, and what stands behind its colon.
    private func key(
        _ text: ArraySlice<UInt8>
    ) throws(YAMLError) -> (name: String, rest: ArraySlice<UInt8>, isPlain: Bool)? {
        guard let first = text.first, first != 0x5B, first != 0x7B else { return nil }
        if first == 0x3F, text.count == 1 || text.dropFirst().first == 0x20 {
            throw fail("has a key that is no scalar")
        }
        if first == 0x22 || first == 0x27 {
            guard let end = Self.quoteEnd(text) else { return nil }
            let rest = text[end...].drop { $0 == 0x20 }
            guard rest.first == 0x3A, rest.count == 1 || rest.dropFirst().first == 0x20 else { return nil }
            var inner = try YAMLReader(String(decoding: text[..<end], as: UTF8.self))
            guard let name = try inner.flowNode().asString else { return nil }
            return (name, rest.dropFirst(), false)
        }
        guard let colon = Self.colon(text) else { return nil }
        guard !"&*!|>%@`".utf8.contains(first) else { throw fail("has a key that is not plain") }
        var name = text[..<colon]
        while name.last == 0x20 { name.removeLast() }
        return (String(decoding: name, as: UTF8.self), text[(colon + 1)...], true)
    }

    /// Where the quoted text at the beginning ends, when it does on this line.
    private static func quoteEnd(_ text: ArraySlice<UInt8>) -> Int? {
        let quote = text[text.startIndex]
        var place = text.startIndex + 1
        while place < text.endIndex {
            if text[place] == 0x5C, quote == 0x22 {
                place += 2
            } else if text[place] == quote {
                guard quote == 0x27, place + 1 < text.endIndex, text[place + 1] == quote else { return place + 1 }
                place += 2
            } else {
                place += 1
            }
        }
        return nil
    }

    /// The first colon that ends a plain key, not behind a comment.
    static func colon(_ text: ArraySlice<UInt8>) -> Int? {
        for place in text.indices {
            if text[place] == 0x23, place > text.startIndex, text[place - 1] == 0x20 { return nil }
            if text[place] == 0x3A, place + 1 == text.endIndex || text[place + 1] == 0x20 { return place }
        }
        return nil
    }

    // MARK: plumbing

    mutating func skipBlank() {
        while row < lines.count, lines[row].isBlank || lines[row].isComment { row += 1 }
    }

    mutating func add(_ count: Int) throws(YAMLError) {
        weight += count + 2 * depth
        if weight > Self.weightLimit { throw fail("makes the document too large") }
    }

    func fail(_ problem: String, at row: Int? = nil) -> YAMLError {
        let place = min(row ?? self.row, lines.count - 1)
        return YAMLError(line: lines[max(0, place)].number, problem: problem)
    }
}
