import NIOCore
import WireProtocol

/// The end of the channel's pipeline: lines in, and what happens to the channel, told to the link.
final class LinkHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    enum Event: Sendable {
        case message(ControllerMessage)
        case malformed(WireError)
        case writable
        case failed(String)
        case closed
    }

    private let tell: @Sendable (Event) -> Void

    init(tell: @escaping @Sendable (Event) -> Void) { self.tell = tell }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let line = unwrapInboundIn(data)
        do throws(WireError) {
            let message = try decode(line)
            tell(.message(message))
        } catch { tell(.malformed(error)) }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { tell(.writable) }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // The controller has said its last word; there is nothing to say to it any more.
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        tell(.failed("\(error)"))
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        tell(.closed)
        context.fireChannelInactive()
    }

    private func decode(_ line: ByteBuffer) throws(WireError) -> ControllerMessage {
        let result: Result<ControllerMessage, WireError> = line.withUnsafeReadableBytes { bytes in
            do throws(WireError) { return .success(try ControllerMessage(decoding: bytes)) } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}
