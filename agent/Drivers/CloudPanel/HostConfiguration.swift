/// What of nginx's configuration of a site a suspension has to take over: where each server listens and for which names.
struct HostConfiguration: Sendable, Hashable {
    struct Server: Sendable, Hashable {
        /// The words behind each `listen`.
        var listens: [[String]] = []
        /// As they stand there, quotes included.
        var names: [String] = []
    }

    let servers: [Server]

    /// Reads the text as nginx does: words, quotes, comments, braces. Whatever it is, nothing worse than no servers comes out.
    init(_ text: String) {
        var servers: [Server] = []
        var current: Server?
        var words: [String] = []
        var depth = 0
        for token in NginxTokens(text) {
            switch token {
            case .word(let word): words.append(word)
            case .end:
                if depth == 1, let directive = words.first {
                    if directive == "listen" { current?.listens.append(Array(words.dropFirst())) }
                    if directive == "server_name" { current?.names += words.dropFirst() }
                }
                words = []
            case .open:
                if depth == 0, words == ["server"] { current = Server() }
                depth += 1
                words = []
            case .close:
                depth -= 1
                words = []
                if depth == 0, let server = current {
                    servers.append(server)
                    current = nil
                }
            }
        }
        self.servers = servers
    }
}

extension HostConfiguration.Server {
    /// Of what a `listen` may say only what all servers of an address must agree on: the rest may be said once only.
    private static let kept: Set<String> = ["ssl", "quic", "proxy_protocol"]

    var addresses: [String] {
        listens.compactMap { words in
            guard let address = words.first else { return nil }
            return ([address] + words.dropFirst().filter(Self.kept.contains)).joined(separator: " ")
        }
    }

    var needsCertificate: Bool { listens.contains { $0.dropFirst().contains { $0 == "ssl" || $0 == "quic" } } }
}

/// The words and signs of nginx's configuration.
struct NginxTokens: Sequence, IteratorProtocol {
    enum Token: Hashable {
        /// With its quotes.
        case word(String)
        case end, open, close
    }

    private var rest: Substring.UnicodeScalarView

    init(_ text: String) { rest = Substring(text).unicodeScalars }

    mutating func next() -> Token? {
        skipBlanks()
        guard let first = rest.first else { return nil }
        switch first {
        case ";", "{", "}":
            rest.removeFirst()
            return first == ";" ? .end : first == "{" ? .open : .close
        case "\"", "'": return .word(quoted(by: first))
        default: return .word(plain())
        }
    }

    private mutating func skipBlanks() {
        while let first = rest.first {
            if first == "#" {
                rest = rest.drop { $0 != "\n" }
            } else if Self.isBlank(first) {
                rest.removeFirst()
            } else {
                return
            }
        }
    }

    private mutating func quoted(by quote: Unicode.Scalar) -> String {
        var word = String.UnicodeScalarView()
        word.append(rest.removeFirst())
        while let scalar = rest.popFirst() {
            word.append(scalar)
            if scalar == quote { break }
            if scalar == "\\", let next = rest.popFirst() { word.append(next) }
        }
        return String(word)
    }

    private mutating func plain() -> String {
        var word = String.UnicodeScalarView()
        while let scalar = rest.first {
            // `${name}` is a variable within a word.
            let opensVariable = scalar == "{" && word.last == "$"
            if Self.isBlank(scalar) || scalar == ";" || scalar == "{" && !opensVariable { break }
            word.append(rest.removeFirst())
            if scalar == "\\", let next = rest.popFirst() { word.append(next) }
        }
        return String(word)
    }

    /// To nginx these are blanks and nothing else is; a closing brace ends no word that has begun.
    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool { " \t\r\n".unicodeScalars.contains(scalar) }
}
