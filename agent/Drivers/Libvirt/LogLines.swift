import Model

/// Lines of a log as they may leave the node: bounded, without control characters and without what is known to be secret.
///
/// What a machine writes decides some of what stands there; nothing of it is trusted.
struct LogLines: Sendable {
    /// Longer lines are cut: what libraries print can be of any length.
    static let longest = 4096
    /// Lines of one command; what goes on longer has lost its end.
    private static let commandLimit = 4096

    /// The last lines of a text, from a moment on.
    ///
    /// A line without a time of its own belongs to the one above. A first line whose beginning is missing is dropped.
    /// - Parameter since: milliseconds; lines before the first time of the text are taken when it is nil only.
    static func last(_ count: Int, of bytes: [UInt8], since: Int64?, isWhole: Bool) -> [String] {
        var lines = bytes.split(separator: 10, omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        if !isWhole, !lines.isEmpty { lines.removeFirst() }
        // A loss of power leaves NULs in front of what was written next.
        for place in lines.indices where lines[place].first == 0 { lines[place] = lines[place].drop { $0 == 0 } }
        if let since {
            let start = lines.firstIndex { (time(of: $0)?.milliseconds ?? .min) >= since }
            lines = start.map { Array(lines[$0...]) } ?? []
        }
        // Only what is asked for is looked through, but a command always as a whole.
        var told: [[String]] = []
        var wanted = count
        for record in records(lines).reversed() {
            guard wanted > 0 else { break }
            told.append(clean(record))
            wanted -= told.last?.count ?? 0
        }
        return Array(told.reversed().joined().suffix(count))
    }

    /// The lines, each command of several lines in one.
    private static func records(_ lines: [ArraySlice<UInt8>]) -> [ArraySlice<ArraySlice<UInt8>>] {
        var records: [ArraySlice<ArraySlice<UInt8>>] = []
        var start = 0
        while start < lines.count {
            var end = start + 1
            if LoggedCommand.begins(lines[start]) {
                var isQuoted = false
                while LoggedCommand.goesOn(behind: lines[end - 1], &isQuoted), end < lines.count,
                    end - start < commandLimit, time(of: lines[end]) == nil
                {
                    end += 1
                }
            }
            records.append(lines[start..<end])
            start = end
        }
        return records
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

    private static func clean(_ record: ArraySlice<ArraySlice<UInt8>>) -> [String] {
        // A secret is hidden before a line is cut, or half of it would be no secret any more.
        let bounded = record.map { $0.prefix(16 * longest) }
        let text = hidden(in: String(decoding: Array(bounded.joined(separator: [10])), as: UTF8.self))
        return text.utf8.split(separator: 10, omittingEmptySubsequences: false).map { line in
            let plain = String.UnicodeScalarView(
                String(decoding: line.prefix(longest), as: UTF8.self).unicodeScalars.map { scalar in
                    scalar == "\t" || scalar.properties.generalCategory != .control ? scalar : "\u{FFFD}"
                })
            return String(plain) + (line.count > longest ? " […]" : "")
        }
    }

    /// A line or a whole command without what is secret in it: hidden once more, it is the same. What cannot be brought to
    /// rest that way is hidden whole.
    static func hidden(in line: String) -> String {
        var bytes = Array(line.utf8)
        for _ in 0..<8 {
            let once = SecretText.hidden(in: LoggedCommand.begins(bytes[...]) ? LoggedCommand.hidden(in: bytes) : bytes)
            if once == bytes { return String(decoding: bytes, as: UTF8.self) }
            bytes = once
        }
        return "[hidden]"
    }
}
