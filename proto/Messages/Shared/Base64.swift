/// RFC 4648 base 64 with padding. Only the canonical form decodes: right padding, no stray bits, no white space.
package enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let invalid: UInt8 = 0xFF
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: invalid, count: 256)
        for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
        return values
    }()

    package static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | UInt32($1) } << (8 * UInt32(3 - group.count))
            for place in 0..<4 {
                let character = alphabet[Int(bits >> (18 - 6 * UInt32(place)) & 63)]
                text.append(place <= group.count ? character : 0x3D)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil when the text is not canonical base 64.
    package static func decode(_ text: String) -> [UInt8]? {
        let characters = Array(text.utf8)
        guard characters.count % 4 == 0 else { return nil }
        let padding = characters.suffix(2).count { $0 == 0x3D }
        let digits = characters.dropLast(padding)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(characters.count / 4 * 3)
        var pending: UInt32 = 0
        var count = 0
        for character in digits {
            let value = values[Int(character)]
            guard value != invalid else { return nil }
            pending = pending << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: pending >> UInt32(count)))
            }
        }
        let leftover = pending & (1 << UInt32(count) - 1)
        return leftover == 0 ? bytes : nil
    }
}

extension JSONObject {
    func base64(_ key: String) throws(FieldError) -> [UInt8] {
        guard let bytes = try optionalBase64(key) else { throw FieldError(path: key, problem: .missing) }
        return bytes
    }

    func optionalBase64(_ key: String) throws(FieldError) -> [UInt8]? {
        guard let text = try optionalString(key) else { return nil }
        guard let bytes = Base64.decode(text) else {
            throw FieldError(path: key, problem: .value(expected: "base 64 with padding"))
        }
        return bytes
    }
}
