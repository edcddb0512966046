import FaultProxy
import NIOCore
import Transport

/// Two connections of a `LineProxy` that are one link. Lives on the proxy's event loop.
final class LinePair {
    private let agent: any Channel
    private var controller: (any Channel)?
    private let judge: (LineProxy.Line) -> LineProxy.Tampering?
    /// Lines of the agent that came before the controller was there.
    private var early: [ByteBuffer] = []
    /// Lines that wait for the one behind them.
    private var late: [Direction: ByteBuffer] = [:]
    private var isOpen = true

    init(_ agent: any Channel, judge: @escaping (LineProxy.Line) -> LineProxy.Tampering?) {
        (self.agent, self.judge) = (agent, judge)
    }

    func connected(_ result: Result<any Channel, any Error>) {
        guard case .success(let channel) = result, isOpen else {
            if case .success(let channel) = result { channel.close(promise: nil) }
            return cut()
        }
        controller = channel
        for line in early { received(line, .up) }
        early = []
    }

    func received(_ line: ByteBuffer, _ direction: Direction) {
        guard isOpen else { return }
        guard controller != nil else { return early.append(line) }
        switch judge(LineProxy.Line(direction: direction, type: Self.type(of: line))) {
        case nil: pass(line, direction)
        case .lost: cut(after: .milliseconds(100))
        case .twice:
            pass(line, direction)
            pass(line, direction)
        case .late: late[direction] = line
        case .half: write(line.getSlice(at: line.readerIndex, length: line.readableBytes / 2) ?? line, direction)
        case .cutBefore: cut()
        case .cutAfter:
            pass(line, direction)
            cut()
        }
    }

    func cut() {
        guard isOpen else { return }
        isOpen = false
        agent.close(promise: nil)
        controller?.close(promise: nil)
    }

    private func cut(after wait: TimeAmount) {
        agent.eventLoop.assumeIsolated().scheduleTask(in: wait) { self.cut() }
    }

    private func pass(_ line: ByteBuffer, _ direction: Direction) {
        write(line, direction)
        if let waiting = late.removeValue(forKey: direction) { write(waiting, direction) }
    }

    private func write(_ line: ByteBuffer, _ direction: Direction) {
        var line = line
        line.writeInteger(UInt8(ascii: "\n"))
        (direction == .up ? controller : agent)?.writeAndFlush(line, promise: nil)
    }

    /// Every sender here writes `type` first.
    private static func type(of line: ByteBuffer) -> String {
        String(
            decoding: line.readableBytesView.prefix(64).split(separator: UInt8(ascii: "\"")).dropFirst(3).first ?? [],
            as: UTF8.self)
    }
}

/// One side of a pair, as its channel tells of it.
final class LineEnd: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let direction: Direction
    private let pair: LinePair

    init(_ direction: Direction, _ pair: LinePair) { (self.direction, self.pair) = (direction, pair) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { pair.received(unwrapInboundIn(data), direction) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { pair.cut() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { pair.cut() }

    func channelInactive(context: ChannelHandlerContext) { pair.cut() }
}
