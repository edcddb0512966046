import Model

/// What is written into a database of others, where nobody knows who reads it.
enum QueueText {
    /// Characters of a reason.
    static let limit = 300

    /// A reason on one line, without what it says of the inside of machines: paths, ids of ours, values of secrets.
    static func reason(_ text: String) -> String {
        var visible = ""
        for scalar in text.unicodeScalars.prefix(4096) {
            visible.unicodeScalars.append(VisibleText.isVisible(scalar) ? scalar : " ")
        }
        let words = visible.split(separator: " ").map { word in
            isInner(word) ? "…" : hidden(word)
        }
        let line = words.joined(separator: " ")
        return line.count > limit ? line.prefix(limit - 1) + "…" : line
    }

    private static func isInner(_ word: Substring) -> Bool {
        let bare = word.drop { "\"'(`".contains($0) }
        if bare.hasPrefix("/"), bare.dropFirst().contains("/") { return true }
        let name = bare.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        return Identifier.isReserved(String(name))
    }

    /// `password=…`
    private static func hidden(_ word: Substring) -> String {
        guard let mark = word.firstIndex(where: { $0 == "=" || $0 == ":" }), mark != word.startIndex else {
            return String(word)
        }
        let name = word[..<mark].lowercased()
        let secrets = ["password", "passwd", "token", "secret", "key", "authorization", "bearer"]
        guard secrets.contains(where: name.contains) else { return String(word) }
        return word[...mark] + "…"
    }
}
