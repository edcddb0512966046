/// Walks over bytes of words, numbers and lines without making strings. Never traps, whatever the bytes are.
struct ByteScanner {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { position >= bytes.count }
    var isAtLineEnd: Bool { isAtEnd || bytes[position] == Self.newline }

    /// Everything from here to the end, as text.
    var rest: String { String(decoding: bytes[position...], as: UTF8.self) }

    /// Goes over spaces and tabs.
    mutating func skipBlanks() {
        while position < bytes.count, bytes[position] == 0x20 || bytes[position] == 0x09 { position += 1 }
    }

    /// Goes to the start of the next line; `false` at the end.
    mutating func nextLine() -> Bool {
        while position < bytes.count {
            position += 1
            if bytes[position - 1] == Self.newline { return position < bytes.count }
        }
        return false
    }

    /// Goes over these characters when they come next.
    mutating func skip(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard bytes.count - position >= count else { return false }
        let start = UnsafeRawBufferPointer(start: text.utf8Start, count: count)
        guard bytes[position..<position + count].elementsEqual(start) else { return false }
        position += count
        return true
    }

    /// The whole number that comes next, after blanks; `nil` when none does or it is too large.
    mutating func number() -> UInt64? {
        skipBlanks()
        var value: UInt64 = 0
        let start = position
        while position < bytes.count, case let digit = bytes[position] &- 0x30, digit <= 9 {
            let (product, over) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(digit))
            if over || carry { return nil }
            value = sum
            position += 1
        }
        return position > start ? value : nil
    }

    /// The number that comes next, with digits behind a point where there are some: `0.25`.
    mutating func decimal() -> Double? {
        guard let whole = number() else { return nil }
        guard position < bytes.count, bytes[position] == 0x2E else { return Double(whole) }
        position += 1
        let start = position
        guard position < bytes.count, bytes[position] &- 0x30 <= 9, let fraction = number() else {
            return Double(whole)
        }
        var scale = 1.0
        for _ in start..<position { scale *= 10 }
        return Double(whole) + Double(fraction) / scale
    }

    /// Goes over the next word, after blanks; `false` at the end of the line.
    mutating func skipWord() -> Bool {
        skipBlanks()
        let start = position
        while position < bytes.count, bytes[position] > 0x20 { position += 1 }
        return position > start
    }

    /// The next word, after blanks, up to white space or one of the given bytes; empty at the end of the line.
    mutating func word(endingAt stop: UInt8 = 0x20) -> String {
        skipBlanks()
        let start = position
        while position < bytes.count, bytes[position] > 0x20, bytes[position] != stop { position += 1 }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    /// The number behind the line that starts with this key, searched from here on; stays where it is when there is none.
    mutating func value(of key: StaticString) -> UInt64? {
        let start = position
        repeat {
            if skip(key), position < bytes.count,
                bytes[position] == 0x20 || bytes[position] == 0x3A || bytes[position] == 0x09
            {
                if bytes[position] == 0x3A { position += 1 }
                return number()
            }
        } while nextLine()
        position = start
        return nil
    }

    private static let newline: UInt8 = 0x0A
}
