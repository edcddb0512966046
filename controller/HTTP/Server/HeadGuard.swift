import NIOCore
import NIOHTTP1

/// Refuses what the parser lets through and two readers could understand in two ways: a request for no host or two, and
/// a body whose end is told twice. Stands right behind the parser, where the fields are still as they came.
final class HeadGuard: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    private var isBroken = false
    private var hasEnded = false
    private var onEnd: (() -> Void)?

    /// Calls back when the peer sends no more, at once where it does not already; of several who ask the last.
    func whenEnded(_ callback: @escaping () -> Void) {
        if hasEnded { callback() } else { onEnd = callback }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed = event {
            hasEnded = true
            onEnd?()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isBroken else { return }
        guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
        guard Self.isClear(head) else {
            isBroken = true
            context.fireErrorCaught(HTTPParserError.invalidHeaderToken)
            return
        }
        // Whoever speaks the old version waits for the end of the connection.
        if head.version.minor == 0 { head.headers.replaceOrAdd(name: "Connection", value: "close") }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    private static func isClear(_ head: HTTPRequestHead) -> Bool {
        let (hosts, lengths) = (head.headers["Host"], head.headers["Content-Length"])
        let codings = head.headers["Transfer-Encoding"]
        guard head.version.major == 1, hosts.count == 1 || (hosts.isEmpty && head.version.minor == 0) else {
            return false
        }
        return hosts.allSatisfy(isHost) && lengths.count + codings.count <= 1
            && codings.allSatisfy { $0.lowercased() == "chunked" }
            && lengths.allSatisfy { $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
    }

    /// A name or address with or without a port: enough to be sure that nothing else hides in it.
    static func isHost(_ text: String) -> Bool {
        text.utf8.count <= 255
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte | 0x20)
                    || [0x2D, 0x2E, 0x3A, 0x5B, 0x5D, 0x5F].contains(byte)
            }
    }
}

@available(*, unavailable)
extension HeadGuard: Sendable {}
