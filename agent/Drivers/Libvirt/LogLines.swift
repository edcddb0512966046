import Model

/// Lines of a log as they may leave the node: bounded, without control characters and without what is known to be secret.
///
/// What a machine writes decides some of what stands there; nothing of it is trusted.
struct LogLines: Sendable {
    /// Longer lines are cut: what libraries print can be of any length.
    static let longest = 4096

    /// The last lines of a text, from a moment on.
    ///
    /// A line without a time of its own belongs to the one above. A first line whose beginning is missing is dropped.
    /// - Parameter since: milliseconds; lines before the first time of the text are taken when it is nil only.
    static func last(_ count: Int, of bytes: [UInt8], since: Int64?, isWhole: Bool) -> [String] {
        var lines = bytes.split(separator: 10, omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        if !isWhole, !lines.isEmpty { lines.removeFirst() }
        if let since {
            let start = lines.firstIndex { (time(of: $0)?.milliseconds ?? .min) >= since }
            lines = start.map { Array(lines[$0...]) } ?? []
        }
        return lines.suffix(count).map { clean($0) }
    }

    /// `2023-05-05 11:22:03.043+0000: …` of libvirt, `2018-11-23T23:37:57.946548Z …` of QEMU.
    static func time(of line: ArraySlice<UInt8>) -> Timestamp? {
        guard line.count >= 28, let first = line.first, (0x30...0x39).contains(first) else { return nil }
        let text = String(decoding: line.prefix(28), as: UTF8.self)
        if text.hasSuffix("+0000"), text.utf8.count == 28 {
            return Timestamp(iso8601: "\(text.prefix(10))T\(text.dropFirst(11).prefix(12))Z")
        }
        return Timestamp(iso8601: String(text.prefix(27)))
    }

    static func clean(_ line: ArraySlice<UInt8>) -> String {
        let cut = line.count > longest
        let text = String(decoding: line.prefix(longest), as: UTF8.self)
        let plain = String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { scalar in
                    scalar == "\t" || scalar.properties.generalCategory != .control ? scalar : "\u{FFFD}"
                }))
        return hidden(in: plain) + (cut ? " […]" : "")
    }

    /// The line without values of keys and passwords, users in addresses, and what a kernel is told. Looked through byte by
    /// byte: a mark behind the sign of equality would make another character of it.
    static func hidden(in line: String) -> String {
        var result = Array(line.utf8)
        for word in ["password=", "passwd=", "secret=", "key=", "data=", "token="] {
            result = replaceValues(after: word, in: result) { ", '\"".utf8.contains($0) }
        }
        result = replaceValues(after: "-append ", in: result) { _ in false }
        return String(decoding: withoutUsers(result), as: UTF8.self)
    }

    private static func replaceValues(after word: String, in line: [UInt8], ends: (UInt8) -> Bool) -> [UInt8] {
        var result: [UInt8] = []
        var rest = line[...]
        while let end = rest.end(ofFirst: word) {
            result += rest[..<end] + Array("[hidden]".utf8)
            rest = rest[end...].drop { !ends($0) }
        }
        return result + rest
    }

    /// `https://user:password@host/` without what stands before the host.
    private static func withoutUsers(_ line: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var rest = line[...]
        while let end = rest.end(ofFirst: "://") {
            result += rest[..<end]
            rest = rest[end...]
            let authority = rest.prefix { !"/ ,'\"".utf8.contains($0) }
            if let at = authority.lastIndex(of: 0x40) {
                result += Array("[hidden]".utf8)
                rest = rest[at...]
            }
        }
        return result + rest
    }
}

extension ArraySlice<UInt8> {
    /// Where a text ends that occurs first, in upper or lower case.
    fileprivate func end(ofFirst word: String) -> Int? {
        let word = Array(word.utf8)
        guard count >= word.count else { return nil }
        let start = (startIndex...endIndex - word.count).first { start in
            zip(self[start...], word).allSatisfy { (0x41...0x5A).contains($0) ? $0 | 0x20 == $1 : $0 == $1 }
        }
        return start.map { $0 + word.count }
    }
}
