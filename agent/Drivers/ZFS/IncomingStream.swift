import DriverKit
import Synchronization

/// A stream on its way in: its header is looked at before `zfs receive` is started, and its bytes are counted.
final class IncomingStream: Sendable {
    private let source: AsyncStream<[UInt8]>
    private let state = Mutex((waiting: [[UInt8]](), bytes: Int64(0)))
    /// Told each piece.
    private let onBytes: @Sendable ([UInt8]) -> Void

    init(_ source: AsyncStream<[UInt8]>, onBytes: @escaping @Sendable ([UInt8]) -> Void = { _ in }) {
        self.source = source
        self.onBytes = onBytes
    }

    /// Bytes that were handed on.
    var bytes: Int64 { state.withLock { $0.bytes } }

    /// Reads as far as the end of the header; nothing of it is lost for `rest`.
    func header() async throws(DriverError) -> StreamHeader {
        var head: [UInt8] = []
        var pieces = source.makeAsyncIterator()
        while head.count < StreamHeader.length, let piece = await pieces.next() { head += piece }
        state.withLock { $0.waiting = [head] }
        if Task.isCancelled { throw DriverError(.cancelled, "cancelled before the stream began") }
        guard head.count >= StreamHeader.length else {
            throw DriverError(.failed, "the stream ended before it began", retryable: true)
        }
        guard let header = StreamHeader(head) else {
            throw DriverError(.invalidArgument, "what came is no stream of zfs send")
        }
        return header
    }

    /// All of it, header included.
    var rest: AsyncStream<[UInt8]> {
        AsyncStream(unfolding: {
            var piece = self.state.withLock { $0.waiting.popLast() }
            if piece == nil {
                var pieces = self.source.makeAsyncIterator()
                piece = await pieces.next()
            }
            guard let piece else { return nil }
            self.state.withLock { $0.bytes += Int64(piece.count) }
            self.onBytes(piece)
            return piece
        })
    }
}
