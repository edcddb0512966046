import Logging
import NIOCore
import Transport
import WireProtocol

/// The connection of a machine that wants to become a node: one line in, one line out.
final class EnrolmentHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let enrolments: EnrolmentService
    private var hasAsked = false
    private var answered = false

    init(enrolments: EnrolmentService) { self.enrolments = enrolments }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !answered else { return }
        guard !hasAsked else {
            return part(Goodbye(code: .protocol, message: "an enrolment has one line", retry: false), context)
        }
        hasAsked = true
        do {
            guard case .enrol(let request) = try AgentMessage(decoding: unwrapInboundIn(data).readableBytesView) else {
                return part(
                    Goodbye(code: .protocol, message: "the only line of an enrolment is enrol", retry: false), context)
            }
            enrol(request, context)
        } catch {
            part(Goodbye(code: .malformed, message: "\(error)", retry: false), context)
        }
    }

    /// A machine that has ended its side still gets the answer to what it asked.
    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed, !hasAsked { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if error is LineError {
            guard !answered else { return }
            part(Goodbye(code: .malformed, message: "\(error)", retry: false), context)
        } else {
            context.close(promise: nil)
        }
    }

    private func enrol(_ request: EnrolmentRequest, _ context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let enrolments = self.enrolments
        let remote = context.remoteAddress?.plainAddress ?? "unknown"
        context.eventLoop.makeFutureWithTask { await enrolments.enrol(request, remote: remote) }.whenSuccess { answer in
            let (handler, context) = bound.value
            guard !handler.answered else { return }
            switch answer {
            case .success(let enrolled):
                handler.answered = true
                context.triggerUserOutboundEvent(PeerProved(), promise: nil)
                context.writeLine(.enrolled(enrolled))
                context.close(promise: nil)
            case .failure(let refusal): handler.part(refusal.goodbye, context)
            }
        }
    }

    private func part(_ goodbye: Goodbye, _ context: ChannelHandlerContext) {
        answered = true
        context.writeLine(.goodbye(goodbye))
        context.close(promise: nil)
    }
}

/// Why a machine is not taken in. The peer learns no more than it must: a wrong secret and an unknown token look the same.
struct EnrolmentRefusal: Error {
    var message: String
    var retry = false

    var goodbye: Goodbye { Goodbye(code: .refused, message: message, retry: retry) }
}
