/// Cuts a stream of bytes into lines; memory is bounded by the longest line that counts.
package struct LineSplitter: Sendable {
    /// Bytes a line may have; a longer one is dropped and counted.
    package let limit: Int
    /// Lines that were too long.
    package private(set) var dropped = 0
    private var begun: [UInt8] = []
    private var isDropping = false

    package init(limit: Int = 1 << 20) { self.limit = limit }

    /// The lines that these bytes complete, without their ends.
    package mutating func feed(_ bytes: some Sequence<UInt8>) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        for byte in bytes {
            if byte == 0x0A {
                if !isDropping { lines.append(begun) }
                begun = []
                isDropping = false
            } else if !isDropping {
                begun.append(byte)
                if begun.count > limit { drop() }
            }
        }
        return lines
    }

    /// The last line, where it had no end.
    package mutating func finish() -> [UInt8]? {
        defer { begun = [] }
        return begun.isEmpty || isDropping ? nil : begun
    }

    private mutating func drop() {
        begun = []
        isDropping = true
        dropped += 1
    }
}
