/// Follows the bytes of a TLS stream and knows where its records end.
struct RecordRuler {
    private var header: [UInt8] = []
    private var bodyLeft = 0

    /// A record has begun and has not ended.
    var isInside: Bool { !header.isEmpty || bodyLeft > 0 }

    /// How many of the bytes belong to the present record; all of them when its end is further away.
    func rest(in bytes: UnsafeRawBufferPointer) -> Int {
        var ruler = self
        var count = 0
        while count < bytes.count, count == 0 || ruler.isInside {
            count += ruler.step(UnsafeRawBufferPointer(rebasing: bytes[count...]))
        }
        return count
    }

    mutating func pass(_ bytes: UnsafeRawBufferPointer) {
        var count = 0
        while count < bytes.count { count += step(UnsafeRawBufferPointer(rebasing: bytes[count...])) }
    }

    /// Goes over a byte of a header, or as much as there is of a body.
    private mutating func step(_ bytes: UnsafeRawBufferPointer) -> Int {
        if bodyLeft > 0 {
            let count = min(bodyLeft, bytes.count)
            bodyLeft -= count
            return count
        }
        header.append(bytes[0])
        if header.count == 5 {
            bodyLeft = Int(header[3]) << 8 | Int(header[4])
            header = []
        }
        return 1
    }
}
