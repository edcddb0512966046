import NIOCore
import NIOHTTP2
import Transport

/// What the library leaves to its user on a connection of HTTP/2: to end it after an error that is not of one stream
/// alone, and after a farewell (GOAWAY) also where the peer takes no notice of it.
final class HTTP2Rules: ChannelDuplexHandler, RemovableChannelHandler, NIOHTTP2FrameDelegate {
    typealias InboundIn = HTTP2Frame
    typealias OutboundIn = HTTP2Frame

    /// Whether somebody on this connection has shown a valid key.
    private(set) var isProved = false
    /// Whether the farewell said that something was wrong.
    private var isBroken = false
    private let grace: TimeAmount
    private var end: Scheduled<Void>?
    private var context: ChannelHandlerContext?

    /// - Parameter grace: from the farewell to the end of the connection.
    init(grace: TimeAmount) { self.grace = grace }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        end?.cancel()
        self.context = nil
    }

    func wroteFrame(_ frame: HTTP2Frame) {
        guard case .goAway(_, let code, _) = frame.payload, let context else { return }
        isBroken = isBroken || code != .noError
        guard end == nil else { return }
        end = context.eventLoop.assumeIsolated().scheduleTask(in: grace) { context.close(promise: nil) }
    }

    /// A peer that has said its last can neither ask nor give leave to answer.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func triggerUserOutboundEvent(
        context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?
    ) {
        if event is PeerProved { isProved = true }
        context.triggerUserOutboundEvent(event, promise: promise)
    }

    /// Errors of streams come by as well; their streams have been reset.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if isBroken || error is TLSError { context.close(promise: nil) }
    }
}

@available(*, unavailable)
extension HTTP2Rules: Sendable {}
