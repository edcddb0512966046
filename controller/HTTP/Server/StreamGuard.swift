import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTP2
import NIOHTTPTypes
import NIOHTTPTypesHTTP2

/// What `HeadGuard` and the parser's limits do for HTTP/1.1, for one stream of HTTP/2. Also lets go of a request whose
/// answer has been given before its body came.
final class StreamGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let isWelcome: Bool
    private var isBroken = false
    private var hasEnded = false

    /// - Parameter isWelcome: else the stream is reset.
    init(isWelcome: Bool) { self.isWelcome = isWelcome }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard isWelcome else { return turnAway(context) }
        let part = unwrapInboundIn(data)
        if case .end = part { hasEnded = true }
        guard !isBroken else { return }
        if case .head(let head) = part, !Self.isClear(head) {
            isBroken = true
            context.fireErrorCaught(HTTPParserError.invalidHeaderToken)
            return
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        switch unwrapOutboundIn(data) {
        case .head(var head):
            // Fields about the connection have no place here.
            head.headerFields[.connection] = nil
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .end where !hasEnded: context.write(data, promise: abandoning(context, promise))
        default: context.write(data, promise: promise)
        }
    }

    /// A moment later: the library delivers the first frame before it has told everybody that there is the stream.
    private func turnAway(_ context: ChannelHandlerContext) {
        context.eventLoop.assumeIsolated().execute { context.close(promise: nil) }
    }

    /// A promise that tells the peer, once all of the answer is on its way, that the rest of the request is not wanted.
    private func abandoning(
        _ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>?
    ) -> EventLoopPromise<Void> {
        let written = promise ?? context.eventLoop.makePromise()
        let reset = NIOHTTP2FramePayloadToHTTPEvent.reset(code: .noError)
        written.futureResult.assumeIsolated().whenSuccess { [self] in
            if !hasEnded { context.triggerUserOutboundEvent(reset, promise: nil) }
        }
        return written
    }

    private static func isClear(_ head: HTTPRequest) -> Bool {
        let (fields, hosts) = (head.headerFields, head.headerFields[values: .host])
        guard let host = head.authority ?? hosts.first, HeadGuard.isHost(host), hosts.count <= 1,
            hosts.allSatisfy({ $0 == host }), head.method != .connect,
            let path = head.path, path.hasPrefix("/") || (path == "*" && head.method == .options)
        else { return false }
        let lengths = fields[values: .contentLength]
        return lengths.count <= 1 && lengths.allSatisfy { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
            && fields.count <= HeadLimits.fields
            && fields.allSatisfy { $0.value.utf8.count <= HeadLimits.fieldBytes }
            && path.utf8.count <= HeadLimits.fieldBytes
    }
}

@available(*, unavailable)
extension StreamGuard: Sendable {}

/// How large the head of a request may be, in whichever version.
enum HeadLimits {
    static let fields = 100
    static let fieldBytes = 8 * 1024
    /// Of all fields together.
    static let bytes = 32 * 1024
}

extension HTTPField.Name {
    static let host = Self("Host")!
}
