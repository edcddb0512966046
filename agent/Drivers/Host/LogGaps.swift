/// What a loss of power leaves in a file: a run of NULs in the place of lines, behind which it goes on.
struct LogGaps: Sendable {
    /// A shorter run within a line is somebody's message.
    private static let least = 16
    private var run = 0
    private var isAtStart = true

    /// The bytes with a gap before a line as nothing, and one within a line as its end.
    mutating func closed(_ bytes: [UInt8]) -> [UInt8] {
        guard run > 0 || bytes.contains(0) else {
            isAtStart = bytes.last.map { $0 == 0x0A } ?? isAtStart
            return bytes
        }
        var result: [UInt8] = []
        for byte in bytes {
            if byte == 0 {
                run += 1
                continue
            }
            if run > 0, !isAtStart {
                result += run < Self.least ? [UInt8](repeating: 0, count: run) : [0x0A]
            }
            run = 0
            result.append(byte)
            isAtStart = byte == 0x0A
        }
        return result
    }
}
