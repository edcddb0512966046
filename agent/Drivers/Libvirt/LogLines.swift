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

    /// The line without values of keys and passwords, users in addresses, and what a kernel is told.
    static func hidden(in line: String) -> String {
        var result = line
        for word in ["password=", "passwd=", "secret=", "key=", "data=", "token="] {
            result = replaceValues(after: word, in: result) { $0 == "," || $0 == " " || $0 == "'" || $0 == "\"" }
        }
        result = replaceValues(after: "-append ", in: result) { _ in false }
        return withoutUsers(result)
    }

    private static func replaceValues(after word: String, in line: String, ends: (Character) -> Bool) -> String {
        var result = ""
        var rest = line[...]
        while let place = rest.firstRange(ofWord: word) {
            result += rest[..<place.upperBound] + "[hidden]"
            rest = rest[place.upperBound...].drop { !ends($0) }
        }
        return result + rest
    }

    /// `https://user:password@host/` without what stands before the host.
    private static func withoutUsers(_ line: String) -> String {
        var result = ""
        var rest = line[...]
        while let place = rest.firstRange(ofWord: "://") {
            result += rest[..<place.upperBound]
            rest = rest[place.upperBound...]
            let authority = rest.prefix { !"/ ,'\"".contains($0) }
            if let at = authority.lastIndex(of: "@") {
                result += "[hidden]"
                rest = rest[at...]
            }
        }
        return result + rest
    }
}

extension Substring {
    /// Where a text occurs first, in upper or lower case.
    fileprivate func firstRange(ofWord word: String) -> Range<Index>? {
        guard let first = word.first else { return nil }
        var start = startIndex
        while let place = self[start...].firstIndex(where: { $0 == first || $0.lowercased() == String(first) }) {
            if self[place...].prefix(word.count).lowercased() == word {
                return place..<index(place, offsetBy: word.count)
            }
            start = index(after: place)
        }
        return nil
    }
}
