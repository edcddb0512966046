import NIOConcurrencyHelpers
import NIOCore
import Transport

/// Writes bytes that count up modulo 251, as fast as the channel stays writable.
final class CountingSource: Sendable {
    /// Longer than any piece that is written or delivered.
    static let pattern = [UInt8]((0..<251 * 300).map { UInt8($0 % 251) })

    private let total: Int
    private let progress = NIOLockedValueBox(0)

    init(total: Int) { self.total = total }

    var written: Int { progress.withLockedValue { $0 } }

    func handler() -> any ChannelHandler { Pump(source: self) }

    /// Waits until it has begun and then not moved for a while.
    func stalls() async throws {
        var last = -1
        try await eventually("the writer stalls at \(written)") {
            try await Task.sleep(for: .milliseconds(300))
            defer { last = written }
            return written > 0 && written == last
        }
    }

    private final class Pump: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let source: CountingSource

        init(source: CountingSource) { self.source = source }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if event is TLSHandshakeCompleted { pump(context) }
            context.fireUserInboundEventTriggered(event)
        }

        func channelWritabilityChanged(context: ChannelHandlerContext) { pump(context) }

        private func pump(_ context: ChannelHandlerContext) {
            while context.channel.isWritable, source.written < source.total {
                let at = source.written
                let count = min(65_000, source.total - at)
                let start = at % 251
                let chunk = ByteBuffer(bytes: CountingSource.pattern[start..<start + count])
                source.progress.withLockedValue { $0 += count }
                context.writeAndFlush(wrapOutboundOut(chunk), promise: nil)
            }
        }
    }
}
