/// Values for the variables of a compose file.
struct ComposeVariables: Sendable {
    /// May be told.
    var plain: [String: String] = [:]
    /// May not.
    var secret: [String: String] = [:]

    var all: [String: String] { plain.merging(secret) { $1 } }

    init() {}

    init(plain: [String: String], secret: [String: String]) {
        (self.plain, self.secret) = (plain, secret)
    }

    func redact(_ text: String) -> String {
        var text = text
        // The longest first: one may be a part of another.
        for value in secret.values.sorted(by: { $0.utf8.count > $1.utf8.count }) where value.utf8.count >= 3 {
            text = text.replacingOccurrences(of: value, with: "***")
        }
        return text
    }
}

extension String {
    func replacingOccurrences(of part: String, with other: String) -> String {
        let (bytes, pattern) = (Array(utf8), Array(part.utf8))
        var result: [UInt8] = []
        var place = 0
        while place < bytes.count {
            if bytes[place] == pattern[0], bytes[place...].starts(with: pattern) {
                result += Array(other.utf8)
                place += pattern.count
            } else {
                result.append(bytes[place])
                place += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
