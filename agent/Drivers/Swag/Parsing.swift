import DriverKit
import WireProtocol

/// A file's name in the folder of proxy configurations, and what SWAG makes of it.
struct ProxyFile: Sendable, Hashable {
    enum Kind: String, Sendable { case subdomain, subfolder, sample }

    let name: String
    let kind: Kind

    /// Nil for names that SWAG does not look at.
    init?(_ name: String) {
        let allowed = "._-"
        guard name.utf8.count <= 200, let first = name.utf8.first, first != 0x2E, first != 0x2D,
            name.unicodeScalars.allSatisfy({
                $0.isASCII
                    && ($0.properties.isAlphabetic || $0.properties.numericType != nil
                        || allowed.unicodeScalars.contains($0))
            })
        else { return nil }
        self.name = name
        if name.hasSuffix(".conf.sample") {
            kind = .sample
        } else if name.hasSuffix(".subdomain.conf") {
            kind = .subdomain
        } else if name.hasSuffix(".subfolder.conf") {
            kind = .subfolder
        } else {
            return nil
        }
    }

    var isActive: Bool { kind != .sample }
}

/// What an nginx file says, as far as this driver asks: its words, without comments.
struct NginxText: Sendable, Hashable {
    /// Each statement with its arguments; the ends of blocks are left out.
    let statements: [[String]]
    private static let limit = 20_000

    init(_ bytes: [UInt8]) {
        var statements: [[String]] = []
        var words: [String] = []
        var word: [UInt8] = []
        var quote: UInt8?
        var isEscaped = false
        var isComment = false
        func endWord() {
            if !word.isEmpty { words.append(String(decoding: word, as: UTF8.self)) }
            word = []
        }
        for byte in bytes where statements.count < Self.limit {
            if isComment {
                isComment = byte != 0x0A
            } else if isEscaped {
                word.append(byte)
                isEscaped = false
            } else if byte == 0x5C {
                isEscaped = true
            } else if let open = quote {
                if byte == open { quote = nil } else { word.append(byte) }
            } else if (byte == 0x22 || byte == 0x27) && word.isEmpty {
                quote = byte
            } else if byte == 0x23, word.isEmpty {
                isComment = true
            } else if byte == 0x3B || byte == 0x7D && word.isEmpty || byte == 0x7B && word.last != 0x24 {
                endWord()
                if !words.isEmpty { statements.append(words) }
                words = []
            } else if [0x20, 0x09, 0x0A, 0x0D].contains(byte) {
                endWord()
            } else {
                word.append(byte)
            }
        }
        self.statements = statements
    }

    /// In lower case: names compare so.
    var serverNames: [String] {
        var seen = Set<String>()
        return statements.filter { $0.first == "server_name" }.flatMap { $0.dropFirst() }.map { $0.lowercased() }
            .filter { !["_", ""].contains($0) && seen.insert($0).inserted }
    }

    /// Whether one of the names is this one: `.example.org` stands for `example.org` and all below it.
    static func names(_ names: [String], have name: String) -> Bool {
        names.contains { $0 == name || $0 == ".\(name)" || name == ".\($0)" }
    }

    /// The value of a variable, `$upstream_app`; nil where it has more than one.
    func variable(_ name: String) -> String? {
        let values = Set(statements.filter { $0.count == 3 && $0[0] == "set" && $0[1] == name }.map { $0[2] })
        return values.count == 1 ? values.first : nil
    }
}

/// What `nginx -t` says.
struct NginxVerdict: Sendable, Hashable {
    let isValid: Bool
    /// Lines that are warnings or errors.
    let messages: [String]
    /// The file that the first error names.
    let culprit: String?
    /// Names that two files claim: nginx only warns, and the file that it reads first wins.
    let doubled: [String]

    init(_ code: Int64, _ text: String) {
        let lines = text.split(whereSeparator: \.isNewline).map(String.init)
        messages = lines.filter {
            $0.contains("[emerg]") || $0.contains("[warn]") || $0.contains("[alert]") || $0.contains("[crit]")
        }
        .prefix(20).map { $0.beginning(500) }
        doubled = lines.compactMap { line in
            guard line.contains("conflicting server name"), let part = line.split(separator: "\"").dropFirst().first
            else { return nil }
            return part.lowercased()
        }
        culprit = lines.first { $0.contains("[emerg]") }.flatMap { line -> String? in
            guard let word = line.split(separator: " ").last, let colon = word.lastIndex(of: ":") else { return nil }
            return word[..<colon].split(separator: "/").last.map(String.init)
        }
        isValid = code == 0
    }

    var observed: JSONObject {
        var object: JSONObject = [
            "valid": .bool(isValid && doubled.isEmpty), "messages": .array(messages.map { .string($0) }),
        ]
        object["file"] = culprit.map { .string($0) }
        if !doubled.isEmpty { object["doubled_names"] = .array(doubled.map { .string($0) }) }
        return object
    }
}
