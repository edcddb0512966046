import Model
import WireProtocol

/// What a stream of `zfs send` says of itself in its first record.
struct StreamHeader: Sendable, Hashable {
    /// Bytes of the first record.
    static let length = 312

    /// A package of several streams with properties (`send -R`, `send -p`), not one stream of data.
    let isPackage: Bool
    /// Goes on where an interrupted one ended.
    let resumes: Bool
    let isVolume: Bool
    /// Identity of the snapshot that it brings, in every pool; 0 in a package.
    let guid: UInt64
    /// Identity of the snapshot that it builds on; 0 for a full stream.
    let baseGUID: UInt64
    /// The snapshot's name where it was sent.
    let name: String

    /// Nil for bytes that are no such record, in either order of bytes.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= Self.length else { return nil }
        let isLittle = Self.number(bytes, 8, 8, little: true) == Self.magic
        guard isLittle || Self.number(bytes, 8, 8, little: false) == Self.magic,
            Self.number(bytes, 0, 4, little: isLittle) == 0
        else { return nil }
        let version = Self.number(bytes, 16, 8, little: isLittle)
        isPackage = version & 3 == 2
        resumes = version >> 2 & 1 << 20 != 0
        isVolume = Self.number(bytes, 32, 4, little: isLittle) == 3
        guid = Self.number(bytes, 40, 8, little: isLittle)
        baseGUID = Self.number(bytes, 48, 8, little: isLittle)
        name = String(decoding: bytes[56..<Self.length].prefix { $0 != 0 }, as: UTF8.self)
    }

    private static let magic: UInt64 = 0x2_F5BA_CBAC

    private static func number(_ bytes: [UInt8], _ start: Int, _ count: Int, little: Bool) -> UInt64 {
        let field = bytes[start..<start + count]
        return (little ? Array(field.reversed()) : Array(field)).reduce(0) { $0 << 8 | UInt64($1) }
    }
}
