import NIOCore

/// Follows the bytes of a TLS stream and knows where its records end.
struct RecordRuler {
    private var header: [UInt8] = []
    private var bodyLeft = 0

    /// A record has begun and has not ended.
    var isInside: Bool { !header.isEmpty || bodyLeft > 0 }

    /// How many of the bytes belong to the present record, whose end is then known or further away.
    func rest(in bytes: ByteBufferView) -> Int {
        var ruler = self
        var count = 0
        for byte in bytes {
            ruler.pass(byte)
            count += 1
            if !ruler.isInside { break }
        }
        return count
    }

    mutating func pass(_ byte: UInt8) {
        if bodyLeft > 0 {
            bodyLeft -= 1
        } else {
            header.append(byte)
            guard header.count == 5 else { return }
            bodyLeft = Int(header[3]) << 8 | Int(header[4])
            header = []
        }
    }
}
