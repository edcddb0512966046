/// `https://user:password@host/path?question` without what stands before the host and behind the question mark: signed
/// addresses carry their right to the image there. The path of a socket (`?socket=/run/x`) is no secret.
enum AddressSecrets {
    static func hidden(in bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var rest = bytes[...]
        while let end = rest.end(ofFirst: "://") {
            result += rest[..<end]
            rest = rest[end...]
            let address = rest[..<addressEnd(rest)]
            let authority = address.prefix { !"/?#".utf8.contains($0) }
            if let at = authority.lastIndex(of: 0x40) {
                result += SecretText.hiddenMark
                rest = rest[at...]
            }
            guard let question = rest[..<address.endIndex].firstIndex(of: 0x3F) else { continue }
            result += rest[...question]
            rest = rest[(question + 1)...]
            if !rest.starts(with: "socket=".utf8) {
                result += SecretText.hiddenMark
                rest = rest[address.endIndex...]
            }
        }
        return result + rest
    }

    private static func addressEnd(_ rest: ArraySlice<UInt8>) -> Int {
        var end = rest.startIndex
        while end < rest.endIndex {
            if rest[end] == 0x2C {
                guard end + 1 < rest.endIndex, rest[end + 1] == 0x2C else { break }
                end += 1
            } else if " \t\n'\"<>".utf8.contains(rest[end]) {
                break
            }
            end += 1
        }
        return end
    }
}

extension ArraySlice<UInt8> {
    /// Where a text ends that occurs first.
    fileprivate func end(ofFirst word: String) -> Int? {
        let word = Array(word.utf8)
        guard count >= word.count else { return nil }
        let start = (startIndex...endIndex - word.count).first { self[$0...].starts(with: word) }
        return start.map { $0 + word.count }
    }
}
