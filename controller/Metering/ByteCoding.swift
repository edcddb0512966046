/// Why stored bytes are not what the codec wrote. Damage on the disk ends here, never in a trap.
package struct DamagedBytes: Error, Sendable, Hashable, CustomStringConvertible {
    package let problem: String

    init(_ problem: String) { self.problem = problem }

    package var description: String { "the stored samples are damaged: \(problem)" }
}

extension [UInt8] {
    /// Seven bits a byte, the lowest first; the top bit says that more follow.
    mutating func append(varint value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }

    /// Small numbers of either sign become small codes: 0, -1, 1, -2, …
    mutating func append(zigzag value: Int64) { append(varint: UInt64(zigzag: value)) }

    mutating func append(bits value: UInt64) {
        for shift in stride(from: 0, to: 64, by: 8) { append(UInt8(truncatingIfNeeded: value >> UInt64(shift))) }
    }
}

extension UInt64 {
    init(zigzag value: Int64) { self = UInt64(bitPattern: (value << 1) ^ (value >> 63)) }

    var unzigzagged: Int64 { Int64(bitPattern: self >> 1) ^ -Int64(bitPattern: self & 1) }
}

/// Reads what the extensions above wrote, from untrusted bytes.
struct ByteReader {
    private let bytes: ArraySlice<UInt8>
    private(set) var position: Int

    init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        position = bytes.startIndex
    }

    var isAtEnd: Bool { position >= bytes.endIndex }
    var rest: ArraySlice<UInt8> { bytes[position...] }

    mutating func byte() throws(DamagedBytes) -> UInt8 {
        guard position < bytes.endIndex else { throw DamagedBytes("they end too early") }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func varint() throws(DamagedBytes) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            let next = try byte()
            guard shift < 63 || next <= 1 else { break }
            value |= UInt64(next & 0x7f) << shift
            if next < 0x80 { return value }
        }
        throw DamagedBytes("a number is too long")
    }

    mutating func zigzag() throws(DamagedBytes) -> Int64 { try varint().unzigzagged }

    /// A count that must not exceed `limit`: it sizes memory.
    mutating func count(upTo limit: Int) throws(DamagedBytes) -> Int {
        let value = try varint()
        guard value <= UInt64(limit) else { throw DamagedBytes("a count of \(value) is over \(limit)") }
        return Int(value)
    }

    mutating func bits() throws(DamagedBytes) -> UInt64 {
        try slice(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    mutating func slice(_ count: Int) throws(DamagedBytes) -> ArraySlice<UInt8> {
        guard count <= bytes.endIndex - position else { throw DamagedBytes("they end too early") }
        defer { position += count }
        return bytes[position..<position + count]
    }
}
