import NIOCore
import Transport

/// Waits for the end of the handshake, has the rest of the pipeline made for what was agreed on there, and goes. All of
/// that happens before the first byte of the peer comes by.
final class ProtocolChoice<Outcome: Sendable>: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let promise: EventLoopPromise<Outcome>
    private let make: (_ service: String) -> EventLoopFuture<Outcome>
    private var isMade = false

    /// - Parameters:
    ///   - promise: told what was made, or that there was no handshake.
    ///   - make: called on the event loop with the name that was agreed on (ALPN).
    init(_ promise: EventLoopPromise<Outcome>, _ make: @escaping (_ service: String) -> EventLoopFuture<Outcome>) {
        self.promise = promise
        self.make = make
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event {
        case let handshake as TLSHandshakeCompleted where !isMade:
            isMade = true
            let made = make(handshake.service)
            made.cascade(to: promise)
            made.whenFailure { [channel = context.channel] _ in channel.close(promise: nil) }
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
        case is ChannelShouldQuiesceEvent where !isMade:
            // Nobody has asked for anything yet.
            context.close(promise: nil)
        default: context.fireUserInboundEventTriggered(event)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        if !isMade { promise.fail(TLSError.closedDuringHandshake) }
    }
}

@available(*, unavailable)
extension ProtocolChoice: Sendable {}
