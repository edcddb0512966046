import DriverKit

/// Takes apart the stream in which the engine interleaves a container's two outputs: an 8-byte header (stream number,
/// three zeros, length as a big-endian number), then that many bytes. Headers and bodies may be cut anywhere; bodies are
/// handed on as they come.
struct StreamFrames {
    private var header: [UInt8] = []
    private var left = 0
    private var stream = OutputStream.stdout

    /// Nil for bytes that cannot be such a stream.
    mutating func feed(_ bytes: [UInt8]) -> [(OutputStream, [UInt8])]? {
        var rest = bytes[...]
        var pieces: [(OutputStream, [UInt8])] = []
        while !rest.isEmpty {
            if left > 0 {
                let piece = rest.prefix(left)
                pieces.append((stream, [UInt8](piece)))
                left -= piece.count
                rest = rest.dropFirst(piece.count)
                continue
            }
            let part = rest.prefix(8 - header.count)
            header += part
            rest = rest.dropFirst(part.count)
            guard header.count == 8 else { break }
            guard header[0] <= 2, header[1...3].allSatisfy({ $0 == 0 }) else { return nil }
            stream = header[0] == 2 ? .stderr : .stdout
            left = header[4...7].reduce(0) { $0 << 8 | Int($1) }
            header = []
        }
        return pieces
    }

    /// False when the stream was cut within a frame.
    var isBetweenFrames: Bool { left == 0 && header.isEmpty }
}
