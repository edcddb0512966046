package import DriverKit

/// What a command has said and the controller has not been sent yet, and how much it may be sent.
///
/// With a controller listening, output waits for its credit and the writer waits with it. With nobody listening
/// (`detach`) the writer goes on and only the last `tailLimit` bytes are kept; the jump in the offsets tells what is lost.
package struct OutputWindow: Sendable {
    package struct Chunk: Sendable, Hashable {
        package let stream: OutputStream
        /// Bytes that the command wrote to this stream before this chunk.
        package var offset: Int64
        package var bytes: [UInt8]
    }

    package static let tailLimit = 64 << 10
    /// The largest piece sent in one line.
    package static let chunkLimit = 32 << 10
    private static let creditLimit = 16 << 20

    /// `nil` while nobody listens.
    private var credit: Int?
    private var pending: [Chunk] = []
    private var offsets: [OutputStream: Int64] = [:]

    /// - Parameter credit: bytes that the controller takes without being asked again.
    package init(credit: Int) { self.credit = min(max(0, credit), Self.creditLimit) }

    package var pendingBytes: Int { pending.reduce(0) { $0 + $1.bytes.count } }
    /// Whether the writer must wait before it writes more.
    package var mustWait: Bool { credit != nil && !pending.isEmpty }

    /// Bytes that the command wrote to a stream.
    package func written(_ stream: OutputStream) -> Int64 { offsets[stream, default: 0] }

    /// Whether something waits for a listener to come.
    package var isUnheard: Bool { credit == nil && !pending.isEmpty }

    package mutating func write(_ stream: OutputStream, _ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        pending.append(Chunk(stream: stream, offset: offsets[stream, default: 0], bytes: bytes))
        offsets[stream, default: 0] += Int64(bytes.count)
        if credit == nil { trim() }
    }

    /// More credit; somebody listens (again).
    package mutating func grant(_ bytes: Int) {
        credit = min((credit ?? 0) + min(max(0, bytes), Self.creditLimit), Self.creditLimit)
    }

    /// A listener that came anew: only its own credit counts.
    package mutating func attach(credit bytes: Int) {
        credit = min(max(0, bytes), Self.creditLimit)
    }

    /// Nobody listens any more.
    package mutating func detach() {
        credit = nil
        trim()
    }

    /// The pieces that may be sent now; the credit is spent.
    package mutating func take() -> [Chunk] {
        guard var left = credit else { return [] }
        var taken: [Chunk] = []
        while left > 0, !pending.isEmpty {
            let piece = takeFirst(atMost: min(left, Self.chunkLimit))
            left -= piece.bytes.count
            taken.append(piece)
        }
        credit = left
        return taken
    }

    private mutating func takeFirst(atMost limit: Int) -> Chunk {
        let first = pending[0]
        guard first.bytes.count > limit else { return pending.removeFirst() }
        pending[0].bytes.removeFirst(limit)
        pending[0].offset += Int64(limit)
        return Chunk(stream: first.stream, offset: first.offset, bytes: Array(first.bytes[..<limit]))
    }

    private mutating func trim() {
        var excess = pendingBytes - Self.tailLimit
        while excess > 0 { excess -= takeFirst(atMost: excess).bytes.count }
    }
}
