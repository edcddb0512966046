import Model
import NIOCore
import Synchronization
import Transport
import WireProtocol

/// One link of a simulated agent: lines to messages, answers to lines.
final class SimulatedLink: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let agent: SimulatedAgent

    init(agent: SimulatedAgent) { self.agent = agent }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event is TLSHandshakeCompleted {
            if let hello = agent.linked(context.channel) { send([hello], context) } else { context.close(promise: nil) }
        }
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let message = try? ControllerMessage(decoding: unwrapInboundIn(data).readableBytesView) else { return }
        send(agent.receive(message), context)
        if case .command(let command) = message { finish(command, context) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        agent.unlinked(context.channel)
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        agent.tally.failures.add(1, ordering: .relaxed)
        context.close(promise: nil)
    }

    /// Work takes its time: 20 to 400 ms, always the same for the same command.
    private func finish(_ command: Command, _ context: ChannelHandlerContext) {
        let time = 20 + command.id.utf8.reduce(0) { ($0 &* 31 &+ Int64($1)) & 0xFFFF } % 380
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        context.eventLoop.scheduleTask(in: .milliseconds(time)) {
            let (link, context) = bound.value
            link.send(link.agent.result(of: command.id), context)
        }
    }

    private func send(_ messages: [AgentMessage], _ context: ChannelHandlerContext) {
        guard !messages.isEmpty, context.channel.isActive else { return }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: messages.flatMap { $0.line() })), promise: nil)
    }
}
