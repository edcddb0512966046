extension Grammar {
    /// `pool` or `pool/child/…`: what ZFS takes, less the characters that its command line reads in its own way.
    package static let datasetName = Grammar(
        "dataset name",
        "pool/name/… of at most 200 characters, each part letters, digits, -, _, . and :, beginning with a letter or digit"
    ) { text in
        let parts = text.split(separator: 0x2F, omittingEmptySubsequences: false)
        return text.count <= 200 && parts.count <= 50 && parts.allSatisfy(isDatasetPart)
    }

    /// Without the dataset and the `@`. `%`, `,` and `@` are refused: `zfs destroy` would read them as ranges and lists.
    package static let snapshotName = Grammar(
        "snapshot name", "1 to 54 letters, digits, -, _, . and :, beginning with a letter or digit"
    ) { text in text.count <= 54 && isDatasetPart(text) }

    /// ZFS reserves the beginnings `mirror`, `raidz`, `draid`, `spare` and the name `log`; a pool begins with a letter.
    package static let poolName = Grammar(
        "pool name", "1 to 63 letters, digits, -, _, . and :, beginning with a letter, not a word that ZFS reserves"
    ) { text in
        guard let first = text.first, first.isLetter, text.count <= 63, isDatasetPart(text) else { return false }
        let name = String(decoding: text, as: UTF8.self)
        return name != "log" && !["mirror", "raidz", "draid", "spare"].contains { name.hasPrefix($0) }
    }

    /// Begins with `/`; no `.` or `..` or empty part, no control character, no trailing slash except `/` itself.
    package static let absolutePath = Grammar(
        "path", "an absolute path of at most 4095 bytes without \".\", \"..\", \"//\" or control characters"
    ) { text in
        guard text.first == 0x2F, text.count <= 4095, text.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            return false
        }
        let parts = text.dropFirst().split(separator: 0x2F, omittingEmptySubsequences: false)
        return text.count == 1
            || parts.allSatisfy { !$0.isEmpty && !$0.elementsEqual(".".utf8) && !$0.elementsEqual("..".utf8) }
    }

    /// `name:443`, `192.0.2.1:443`, `[2001:db8::1]:443`; port 0 is refused.
    package static let hostPort = Grammar("address", "host:port or [IPv6]:port, with a port from 1 to 65535") { text in
        guard let colon = text.lastIndex(of: 0x3A), isPort(text[(colon + 1)...]) else { return false }
        let host = text[..<colon]
        guard host.first == 0x5B else { return isHost(host) }
        let inner = host.dropFirst().dropLast()
        return host.last == 0x5D && inner.contains(0x3A) && inner.count <= 45
            && inner.allSatisfy { $0.isDigit || (0x61...0x66).contains($0 | 0x20) || $0 == 0x3A || $0 == 0x2E }
    }

    static func isPort(_ text: ArraySlice<UInt8>) -> Bool {
        guard let first = text.first, first != 0x30, text.count <= 5, text.allSatisfy(\.isDigit) else { return false }
        return text.reduce(0) { $0 * 10 + Int($1 - 0x30) } <= 65_535
    }

    private static func isHost(_ host: ArraySlice<UInt8>) -> Bool {
        host.count <= 253
            && host.split(separator: 0x2E, omittingEmptySubsequences: false).allSatisfy { label in
                isHostLabel(ArraySlice(label.map { $0.isLetter ? $0 | 0x20 : $0 }))
            }
    }

    private static func isDatasetPart(_ part: ArraySlice<UInt8>) -> Bool {
        startsAlphanumeric(part, length: 1...200, inner: "-_.:")
    }
}
