package import NIOCore

/// Cuts the inbound stream into lines, each fired as one `ByteBuffer` without its `\n`.
/// A line is a slice of what was received: parse it at once or copy it. The unfinished end of a read is
/// copied, so that a few bytes do not hold on to a whole receive buffer.
package final class LineDecoder: ChannelDuplexHandler {
    package typealias InboundIn = ByteBuffer
    package typealias InboundOut = ByteBuffer
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    private let maximumBytes: Int
    private var unfinished = ByteBuffer()
    private var isBroken = false
    private var demand = false
    private var delivered = false

    /// - Parameter maximumBytes: longest line, `\n` not counted; a longer one is the error `LineError.tooLong`,
    ///   after which nothing more is delivered.
    package init(maximumBytes: Int = 1 << 20) {
        self.maximumBytes = maximumBytes
    }

    package func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var received = unwrapInboundIn(data)
        while !isBroken, let end = received.readableBytesView.firstIndex(of: UInt8(ascii: "\n")) {
            let count = end - received.readerIndex
            guard unfinished.readableBytes + count <= maximumBytes, let piece = received.readSlice(length: count) else {
                return refuse(context)
            }
            received.moveReaderIndex(forwardBy: 1)
            deliver(piece, context)
        }
        keep(received, context)
    }

    package func read(context: ChannelHandlerContext) {
        demand = true
        context.read()
    }

    package func channelReadComplete(context: ChannelHandlerContext) {
        let stillWaiting = demand && !delivered
        demand = stillWaiting
        delivered = false
        context.fireChannelReadComplete()
        // Half a line answers nobody's read.
        if stillWaiting { context.read() }
    }

    /// A last line without `\n` was cut off: it is not delivered.
    package func handlerRemoved(context: ChannelHandlerContext) {
        unfinished = ByteBuffer()
    }

    private func deliver(_ piece: ByteBuffer, _ context: ChannelHandlerContext) {
        var line = piece
        if unfinished.readableBytes > 0 {
            unfinished.writeImmutableBuffer(piece)
            line = unfinished
            unfinished = ByteBuffer()
        }
        delivered = true
        context.fireChannelRead(wrapInboundOut(line))
    }

    private func keep(_ rest: ByteBuffer, _ context: ChannelHandlerContext) {
        guard !isBroken, rest.readableBytes > 0 else { return }
        guard unfinished.readableBytes + rest.readableBytes <= maximumBytes else { return refuse(context) }
        if unfinished.capacity == 0 { unfinished = context.channel.allocator.buffer(capacity: rest.readableBytes) }
        unfinished.writeImmutableBuffer(rest)
    }

    private func refuse(_ context: ChannelHandlerContext) {
        guard !isBroken else { return }
        isBroken = true
        unfinished = ByteBuffer()
        context.fireErrorCaught(LineError.tooLong(limit: maximumBytes))
    }
}

@available(*, unavailable)
extension LineDecoder: Sendable {}

/// Puts `\n` behind each outbound buffer.
package final class LineEncoder: ChannelOutboundHandler {
    package typealias OutboundIn = ByteBuffer
    package typealias OutboundOut = ByteBuffer

    private static let newline = ByteBuffer(string: "\n")

    package init() {}

    package func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        context.write(data, promise: nil)
        context.write(wrapOutboundOut(Self.newline), promise: promise)
    }
}

@available(*, unavailable)
extension LineEncoder: Sendable {}

/// A stream that is not made of lines.
package enum LineError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A line longer than the limit in bytes.
    case tooLong(limit: Int)

    package var description: String {
        switch self {
        case .tooLong(let limit): "a line is longer than \(limit) bytes"
        }
    }
}
