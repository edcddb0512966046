import Glibc
import WireProtocol

/// A secret that was planted, in all the shapes in which it might turn up.
struct Needle: Sendable {
    let name: String
    let forms: [[UInt8]]

    init(_ name: String, _ secret: String) {
        self.name = name
        let bytes = Array(secret.utf8)
        let hex = bytes.map { Self.hex($0) }.joined()
        let escaped = JSONValue.string(secret).text.dropFirst().dropLast()
        let percent = bytes.map { Self.isPlain($0) ? String(UnicodeScalar($0)) : "%\(Self.hex($0).uppercased())" }
        var forms: [String] = [secret, hex, hex.uppercased(), String(escaped), percent.joined()]
        for offset in 0..<3 {
            let text = Self.base64(bytes, behind: offset)
            forms += [text, String(text.map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 })]
        }
        self.forms = Set(forms).map { Array($0.utf8) }
    }

    /// A secret of its own for this run, long enough to be found nowhere by chance, with characters that get escaped.
    static func random(_ name: String, odd: String = "") -> Needle {
        Needle(name, value(name, odd: odd))
    }

    static func value(_ name: String, odd: String = "") -> String {
        let letters = Array("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789")
        return "planted-\(name)-" + String((0..<12).map { _ in letters.randomElement() ?? "x" }) + odd
            + String((0..<12).map { _ in letters.randomElement() ?? "x" })
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: true
        default: false
        }
    }

    private static func hex(_ byte: UInt8) -> String {
        let text = String(byte, radix: 16)
        return text.count == 1 ? "0\(text)" : text
    }

    /// What any base64 text holds that has the secret in it, `offset` bytes after a multiple of three: the letters that
    /// do not depend on what stands around it.
    private static func base64(_ bytes: [UInt8], behind offset: Int) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        let padded = [UInt8](repeating: 0, count: offset) + bytes
        var letters: [Character] = []
        for start in stride(from: 0, to: padded.count - 2, by: 3) {
            let value = UInt32(padded[start]) << 16 | UInt32(padded[start + 1]) << 8 | UInt32(padded[start + 2])
            letters += [18, 12, 6, 0].map { alphabet[Int(value >> UInt32($0) & 63)] }
        }
        return String(letters.dropFirst(offset == 0 ? 0 : offset + 1))
    }
}

/// Looks for needles in bytes.
struct Search: Sendable {
    let needles: [Needle]

    /// The names of those that are there.
    func found(in bytes: [UInt8]) -> [String] {
        needles.filter { needle in needle.forms.contains { Self.contains($0, in: bytes) } }.map(\.name)
    }

    func found(in text: String) -> [String] { found(in: Array(text.utf8)) }

    /// Looks for the first byte by `memchr`, which is quick also where nothing is optimised.
    private static func contains(_ form: [UInt8], in bytes: [UInt8]) -> Bool {
        guard let first = form.first else { return false }
        return bytes.withUnsafeBytes { haystack in
            form.withUnsafeBytes { needle in
                guard let start = haystack.baseAddress, let wanted = needle.baseAddress else { return false }
                var place = 0
                while haystack.count - place >= needle.count,
                    let hit = memchr(start + place, Int32(first), haystack.count - place - needle.count + 1)
                {
                    if memcmp(hit, wanted, needle.count) == 0 { return true }
                    place = hit - UnsafeMutableRawPointer(mutating: start) + 1
                }
                return false
            }
        }
    }
}
