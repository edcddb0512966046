/// The statements of an nginx file with the blocks that they stand in and the places of their words.
struct NginxTree: Sendable {
    struct Statement: Sendable {
        let words: [String]
        /// Where each word stands in the file, with its quotation marks.
        let places: [Range<Int>]
        /// Index of the block around it.
        let block: Int
    }

    struct Block: Sendable {
        /// `location`, `/`.
        let words: [String]
        /// Nil for the file as a whole, which is the first block.
        let parent: Int?
    }

    private(set) var blocks = [Block(words: [], parent: nil)]
    private(set) var statements: [Statement] = []
    private static let limit = 20_000

    /// Nil where blocks and statements are not closed, or where there are more than any honest file has.
    init?(_ bytes: [UInt8]) {
        var words: [(text: String, place: Range<Int>)] = []
        var block = 0
        var place = 0
        while place < bytes.count {
            switch bytes[place] {
            case 0x20, 0x09, 0x0A, 0x0D: place += 1
            case 0x23: place = bytes[place...].firstIndex(of: 0x0A) ?? bytes.count
            case 0x3B:
                guard !words.isEmpty, statements.count < Self.limit else { return nil }
                statements.append(Statement(words: words.map(\.text), places: words.map(\.place), block: block))
                (words, place) = ([], place + 1)
            case 0x7B:
                guard blocks.count < Self.limit else { return nil }
                blocks.append(Block(words: words.map(\.text), parent: block))
                (words, block, place) = ([], blocks.count - 1, place + 1)
            case 0x7D:
                guard words.isEmpty, let parent = blocks[block].parent else { return nil }
                (block, place) = (parent, place + 1)
            default:
                guard let word = Self.word(bytes, at: place) else { return nil }
                words.append(word)
                place = word.place.upperBound
            }
        }
        guard words.isEmpty, block == 0 else { return nil }
    }

    /// Nil for a quotation that is not closed.
    private static func word(_ bytes: [UInt8], at start: Int) -> (text: String, place: Range<Int>)? {
        let quote = bytes[start] == 0x22 || bytes[start] == 0x27 ? bytes[start] : nil
        var text: [UInt8] = []
        var place = start + (quote == nil ? 0 : 1)
        while place < bytes.count {
            let byte = bytes[place]
            if byte == 0x5C, place + 1 < bytes.count {
                text.append(bytes[place + 1])
                place += 2
                continue
            }
            let isEnd =
                quote.map { byte == $0 }
                ?? (" \t\n\r;".utf8.contains(byte) || byte == 0x7B && text.last != 0x24)
            if isEnd { break }
            text.append(byte)
            place += 1
        }
        guard quote == nil || place < bytes.count else { return nil }
        return (String(decoding: text, as: UTF8.self), start..<place + (quote == nil ? 0 : 1))
    }
}

/// Where one location sends its requests: the three variables of SWAG's template.
struct ProxyTarget: Sendable {
    let block: Int
    let app: NginxTree.Statement
    let port: NginxTree.Statement
    let transport: NginxTree.Statement

    /// The value of one of the three.
    static func value(_ statement: NginxTree.Statement) -> String { statement.words[2] }

    /// Nil where one of the three is missing or is set more than once.
    init?(in block: Int, _ statements: [NginxTree.Statement]) {
        func only(_ name: String) -> NginxTree.Statement? {
            let found = statements.filter { $0.words[1] == name }
            return found.count == 1 ? found[0] : nil
        }
        guard let app = only("$upstream_app"), let port = only("$upstream_port"),
            let transport = only("$upstream_proto"), statements.count == 3
        else { return nil }
        (self.block, self.app, self.port, self.transport) = (block, app, port, transport)
    }

    /// Whether both go to one port in one way.
    func isAlike(_ other: ProxyTarget) -> Bool {
        Self.value(port) == Self.value(other.port) && Self.value(transport) == Self.value(other.transport)
    }
}

extension NginxTree {
    /// Every `set` of a variable of the template, by the block that it stands in.
    var settings: [Int: [Statement]] {
        let names: Set = ["$upstream_app", "$upstream_port", "$upstream_proto"]
        return Dictionary(
            grouping: statements.filter { $0.words.count == 3 && $0.words[0] == "set" && names.contains($0.words[1]) },
            by: \.block)
    }

    /// Where the site's own location, `/`, sends its requests; nil where there is not one such location.
    var ownTarget: ProxyTarget? {
        let own = blocks.indices.filter { blocks[$0].words == ["location", "/"] }
        guard own.count == 1, let statements = settings[own[0]] else { return nil }
        return ProxyTarget(in: own[0], statements)
    }
}
