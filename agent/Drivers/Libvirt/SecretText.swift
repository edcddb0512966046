/// Hides what is secret in any text: values behind words that mean a secret, in the form `word=value` and as JSON; users and
/// questions in addresses; and what the XML of a machine tells its guest.
///
/// It works on bytes: a mark behind the sign of equality would make another character of it.
struct SecretText {
    /// Ends of names whose values are hidden. A name may have more in front: `file.password`, `rxcookie`, `key-secret`.
    static let words = [
        "password", "passwd", "passphrase", "secret", "key", "token", "cookie", "data", "string", "append", "osk",
        "buf-b64",
    ].map { Array($0.utf8) }
    static let hiddenMark = Array("[hidden]".utf8)
    /// Elements whose text is the guest's: strings of its firmware, its kernel's command line, cookies of an image's server.
    private static let elements = ["<entry", "<cmdline", "<cookie"].map { Array($0.utf8) }

    private static let append = Array("-append ".utf8)
    private static let argument = Array("<qemu:".utf8)
    private static let value = Array("value".utf8)

    private let bytes: [UInt8]
    private var result: [UInt8] = []
    private var place = 0
    /// Whether the place is between single quotation marks, as a shell has them.
    private var isQuoted = false
    /// Whether the place is in the head of an element whose text is hidden, and of one whose `value` is.
    private var hidesText = false
    private var hidesValue = false

    static func hidden(in bytes: [UInt8]) -> [UInt8] {
        var text = SecretText(bytes)
        text.run()
        return AddressSecrets.hidden(in: text.result)
    }

    /// Whether the value of something with this name is to be hidden.
    static func isSecret(_ name: some BidirectionalCollection<UInt8>) -> Bool {
        words.contains { word in
            name.count >= word.count && zip(name.reversed(), word.reversed()).allSatisfy { $0.asciiLower == $1 }
        }
    }

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes
        result.reserveCapacity(bytes.count)
    }

    private mutating func run() {
        while place < bytes.count {
            if let word = Self.words.first(where: { starts(with: $0) }), hide(behind: place + word.count) { continue }
            if hidesValue, starts(with: Self.value), hide(behind: place + Self.value.count) { continue }
            if starts(with: Self.append), !bytes[(place + Self.append.count)...].starts(with: Self.hiddenMark) {
                take(upTo: place + Self.append.count)
                hide(upTo: bytes[place...].firstIndex(of: 0x0A) ?? bytes.count)
                continue
            }
            let byte = bytes[place]
            mind(byte)
            take(upTo: place + 1)
            if byte == 0x3E { endHead() }
        }
    }

    /// Keeps in mind where the place is.
    private mutating func mind(_ byte: UInt8) {
        if byte == 0x27 { isQuoted = !isQuoted && (place == 0 || " \t\n".utf8.contains(bytes[place - 1])) }
        guard byte == 0x3C else { return }
        hidesText = Self.elements.contains { starts(with: $0) }
        hidesValue = starts(with: Self.argument)
    }

    /// Behind the head of an element: `<entry name='…'>what is hidden</entry>`.
    private mutating func endHead() {
        let isEmpty = result.count > 1 && result[result.count - 2] == 0x2F
        let end = bytes[place...].firstIndex(of: 0x3C) ?? bytes.count
        if hidesText, !isEmpty, end > place { hide(upTo: end) }
        (hidesText, hidesValue) = (false, false)
    }

    /// Hides what stands behind a word; `false`, and nothing done, where the word names no value.
    private mutating func hide(behind end: Int) -> Bool {
        guard end < bytes.count else { return false }
        if bytes[end] == 0x3D {
            take(upTo: end + 1)
            hide(upTo: valueEnd)
            return true
        }
        guard let value = textOfJSON(behind: end) else { return false }
        take(upTo: value.lowerBound)
        hide(upTo: value.upperBound)
        return true
    }

    /// Where the value ends that begins here: at its own quotation mark, or at a blank or a comma. Two commas are one in a value.
    private var valueEnd: Int {
        guard place < bytes.count, !isQuoted || bytes[place] != 0x27 else { return place }
        if bytes[place...].starts(with: Self.hiddenMark) { return place + Self.hiddenMark.count }
        let isEscaped = bytes[place] == 0x5C && place + 1 < bytes.count && Self.isQuote(bytes[place + 1])
        if isEscaped || Self.isQuote(bytes[place]) {
            return closing(from: place + (isEscaped ? 1 : 0), isEscaped: isEscaped).map { $0 + 1 } ?? bytes.count
        }
        var end = place
        while end < bytes.count {
            if bytes[end] == 0x2C {
                guard end + 1 < bytes.count, bytes[end + 1] == 0x2C else { break }
                end += 1
            } else if isQuoted ? bytes[end] == 0x27 : " \t\n'\"".utf8.contains(bytes[end]) {
                break
            }
            end += 1
        }
        return end
    }

    /// The place of the mark that closes the one at `start`.
    private func closing(from start: Int, isEscaped: Bool) -> Int? {
        bytes.indices[(start + 1)...].first { end in
            bytes[end] == bytes[start] && (bytes[end - 1] == 0x5C && end - 1 > start) == isEscaped
        }
    }

    /// The text in `"word": "text"`, where all marks may stand behind backslashes; one that is not closed goes to the end.
    private func textOfJSON(behind end: Int) -> Range<Int>? {
        var next = end
        func skip(_ skipped: String) { while next < bytes.count, skipped.utf8.contains(bytes[next]) { next += 1 } }
        skip("\\")
        let isEscaped = next > end
        guard next < bytes.count, Self.isQuote(bytes[next]) else { return nil }
        next += 1
        skip(" \t")
        guard next < bytes.count, bytes[next] == 0x3A else { return nil }
        next += 1
        skip(" \t")
        if isEscaped { skip("\\") }
        guard next < bytes.count, Self.isQuote(bytes[next]) else { return nil }
        guard let close = closing(from: next, isEscaped: isEscaped) else { return next + 1..<bytes.count }
        return next + 1..<(isEscaped ? max(next + 1, close - 1) : close)
    }

    private mutating func take(upTo end: Int) {
        result += bytes[place..<end]
        place = end
    }

    private mutating func hide(upTo end: Int) {
        result += Self.hiddenMark
        place = end
    }

    private func starts(with word: [UInt8]) -> Bool {
        guard place + word.count <= bytes.count else { return false }
        for offset in word.indices where bytes[place + offset].asciiLower != word[offset] { return false }
        return true
    }

    private static func isQuote(_ byte: UInt8) -> Bool { byte == 0x22 || byte == 0x27 }
}

extension UInt8 {
    var asciiLower: UInt8 { (0x41...0x5A).contains(self) ? self | 0x20 : self }
}
