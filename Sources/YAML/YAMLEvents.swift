internal import CLibYAML

/// One step of libyaml through a text.
struct YAMLEvent {
    enum Kind {
        case stream, streamEnd, document, documentEnd
        case sequence, mapping
        /// Of the sequence or mapping that is open.
        case end
        case scalar(String, YAMLStyle)
        /// By the name of its anchor.
        case alias(String)
    }

    let kind: Kind
    let anchor: String?
    let tag: String?
    let mark: YAMLMark
}

enum YAMLStyle {
    case plain
    /// In quotes, or a block of lines: a text whatever it says.
    case text
    /// The same behind the tag `!`.
    case untyped
}

/// What libyaml makes of one text, event by event, each as it is asked for.
final class YAMLEvents {
    private let bytes: UnsafeMutableBufferPointer<UInt8>
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    /// How far the text was gone through, in characters and in bytes.
    private var passed = (index: 0, offset: 0)
    /// The number of the last line, counted from 0, when it holds blanks alone and has no end.
    private let blankEnd: Int?

    init(_ text: String) throws(YAMLError) {
        let text = text.unicodeScalars.first == "\u{FEFF}" ? text.unicodeScalars.dropFirst() : text.unicodeScalars[...]
        try Self.refuseTwoMeanings(text)
        let utf8 = Array(String(text).utf8)
        let lines = utf8.split(separator: 0x0A, omittingEmptySubsequences: false)
        blankEnd = lines.last.flatMap { line in
            line.isEmpty || line.contains { $0 != 0x20 && $0 != 0x09 } ? nil : lines.count - 1
        }
        bytes = .allocate(capacity: utf8.count)
        _ = bytes.initialize(from: utf8)
        guard let parser = CLibYAML_parser(bytes.baseAddress, utf8.count) else {
            bytes.deallocate()
            throw YAMLError(YAMLMark(), "there is no memory to read it")
        }
        self.parser = parser
    }

    deinit {
        CLibYAML_release(parser)
        bytes.deallocate()
    }

    /// Line ends of YAML 1.1 that newer readers take for characters, and marks that some readers skip.
    private static func refuseTwoMeanings(_ text: Substring.UnicodeScalarView) throws(YAMLError) {
        var mark = YAMLMark()
        for scalar in text {
            if ["\u{85}", "\u{2028}", "\u{2029}", "\u{FEFF}"].contains(scalar) {
                let code = String(scalar.value, radix: 16, uppercase: true)
                throw YAMLError(
                    mark, "has the character U+\(code), which readers of YAML take differently: write it as an escape")
            }
            mark.pass(scalar)
        }
    }

    /// Not to be asked again after an error or the end of the stream.
    func next() throws(YAMLError) -> YAMLEvent {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) == 1 else { throw failure }
        defer { yaml_event_delete(&event) }
        let data = event.data
        var (anchor, tag): (String?, String?)
        let kind: YAMLEvent.Kind
        switch event.type {
        case YAML_STREAM_START_EVENT: kind = .stream
        case YAML_DOCUMENT_START_EVENT: kind = .document
        case YAML_DOCUMENT_END_EVENT: kind = .documentEnd
        case YAML_SEQUENCE_START_EVENT:
            kind = .sequence
            (anchor, tag) = (Self.text(data.sequence_start.anchor), Self.text(data.sequence_start.tag))
        case YAML_MAPPING_START_EVENT:
            kind = .mapping
            (anchor, tag) = (Self.text(data.mapping_start.anchor), Self.text(data.mapping_start.tag))
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT: kind = .end
        case YAML_ALIAS_EVENT: kind = .alias(Self.text(data.alias.anchor) ?? "")
        case YAML_SCALAR_EVENT:
            kind = .scalar(Self.value(data.scalar), Self.style(data.scalar))
            (anchor, tag) = (Self.text(data.scalar.anchor), Self.text(data.scalar.tag))
        default: kind = .streamEnd
        }
        let next = YAMLEvent(kind: kind, anchor: anchor, tag: tag, mark: Self.mark(event.start_mark))
        try refuseSpecialSigns(next, event)
        return next
    }

    /// What libyaml and older readers take otherwise than YAML 1.2 has it: `{?a: b}`, names of anchors with other signs in
    /// them, and a block of lines that ends in blanks.
    private func refuseSpecialSigns(_ event: YAMLEvent, _ raw: yaml_event_t) throws(YAMLError) {
        switch event.kind {
        case .stream, .streamEnd, .document, .documentEnd, .end: return
        case .scalar, .sequence, .mapping, .alias: break
        }
        guard let start = offset(of: raw.start_mark) else { return }
        if start > 0, bytes[start - 1] == 0x3F {
            throw YAMLError(event.mark, "stands right behind a ?, which readers of YAML take differently")
        }
        if case .scalar(_, .text) = event.kind, raw.end_mark.line == blankEnd, isBlock(raw.data.scalar) {
            throw YAMLError(event.mark, "is a block whose last line holds blanks and has no end")
        }
        var (name, sign) = (event.anchor, UInt8(0x26))
        if case .alias(let alias) = event.kind { (name, sign) = (alias, 0x2A) }
        guard let name, let place = bytes[start...].firstIndex(of: sign) else { return }
        let behind = place + 1 + name.utf8.count
        guard behind < bytes.count, !" \t\r\n,]}".utf8.contains(bytes[behind]) else { return }
        throw YAMLError(event.mark, "has the sign \(Unicode.Scalar(bytes[behind])) in the name of an anchor")
    }

    private func isBlock(_ scalar: Scalar) -> Bool {
        scalar.style == YAML_LITERAL_SCALAR_STYLE || scalar.style == YAML_FOLDED_SCALAR_STYLE
    }

    /// In bytes; libyaml counts characters. Nil for what lies before the place asked for last.
    private func offset(of mark: yaml_mark_t) -> Int? {
        guard mark.index >= passed.index else { return nil }
        while passed.index < mark.index, passed.offset < bytes.count {
            passed.index += 1
            repeat { passed.offset += 1 } while passed.offset < bytes.count && bytes[passed.offset] & 0xC0 == 0x80
        }
        return passed.offset
    }

    private typealias Scalar = yaml_event_t.__Unnamed_union_data.__Unnamed_struct_scalar

    private static func value(_ scalar: Scalar) -> String {
        String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
    }

    private static func style(_ scalar: Scalar) -> YAMLStyle {
        if scalar.style == YAML_PLAIN_SCALAR_STYLE { return .plain }
        // libyaml drops the tag, and says only that it wants the scalar looked at as if it were plain.
        return scalar.plain_implicit == 1 ? .untyped : .text
    }

    private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        guard let pointer else { return nil }
        var end = pointer
        while end.pointee != 0 { end += 1 }
        return String(decoding: UnsafeBufferPointer(start: pointer, count: end - pointer), as: UTF8.self)
    }

    private static func mark(_ mark: yaml_mark_t) -> YAMLMark {
        YAMLMark(line: mark.line + 1, column: mark.column + 1)
    }

    private var failure: YAMLError {
        let words = parser.pointee
        let problem = words.problem.map { String(cString: $0) } ?? "it cannot be read"
        if words.error == YAML_READER_ERROR {
            var mark = YAMLMark()
            let passed = String(decoding: bytes.prefix(words.problem_offset), as: UTF8.self)
            for scalar in passed.unicodeScalars { mark.pass(scalar) }
            return YAMLError(mark, problem)
        }
        let context = words.context.map { String(cString: $0) + ": " } ?? ""
        return YAMLError(Self.mark(words.problem_mark), context + problem)
    }
}
