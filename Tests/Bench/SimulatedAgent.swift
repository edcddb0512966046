import Model
import NIOCore
import NIOPosix
import Synchronization
import Transport
import WireProtocol

/// One agent of a simulated fleet: a real TLS link, a real hello, made-up samples.
///
/// Keeps up to `window` lines unacknowledged and sends the next as acknowledgements come, so it measures what the
/// controller takes in and stores, not what a socket buffer takes.
final class SimulatedAgent: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// What all agents of a fleet count together.
    final class Tally: Sendable {
        let welcomed = Atomic<Int>(0)
        let acknowledgedLines = Atomic<Int>(0)
        let failures = Atomic<Int>(0)
    }

    private let node: String
    private let tally: Tally
    private let names: [String]
    private let window: Int64
    private var sent: Int64 = 0
    private var acknowledged: Int64 = 0
    private var isStreaming = false
    private var values: [Double?]
    private let base = Timestamp.now().milliseconds - 3_600_000

    init(node: String, tally: Tally, series: Int, window: Int64) {
        self.node = node
        self.tally = tally
        self.window = window
        names = (0..<series).map { "container/svc-\($0 / 10).value\($0 % 10)" }
        values = (0..<series).map { Double($0) }
    }

    /// Says hello; call once the handshake is done.
    func greet(_ context: ChannelHandlerContext) {
        let hello = Hello(
            agent: "0.0.0-bench", node: node, boot: "boot-\(node)", started: base, hostname: node,
            os: OperatingSystem(name: "debian", version: "12", kernel: "6.1", arch: "x86_64"),
            spool: SpoolReport(epoch: "bench"))
        send(.hello(hello), context)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard let message = try? ControllerMessage(decoding: unwrapInboundIn(data).readableBytesView) else { return }
        switch message {
        case .welcome:
            tally.welcomed.add(1, ordering: .relaxed)
            send(.series(SeriesDefinition(names: names)), context)
        case .ack(let ack):
            guard let position = ack.metrics, position > acknowledged else { return }
            tally.acknowledgedLines.add(Int(position - acknowledged), ordering: .relaxed)
            acknowledged = position
            if isStreaming { fill(context) }
        case .goodbye: tally.failures.add(1, ordering: .relaxed)
        default: break
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        tally.failures.add(1, ordering: .relaxed)
        context.close(promise: nil)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        switch event as? Wish {
        case .stream:
            isStreaming = true
            fill(context)
        case .pause: isStreaming = false
        case .heartbeat: send(.heartbeat(Heartbeat(seq: 1, time: Timestamp.now().milliseconds)), context)
        case nil: context.fireUserInboundEventTriggered(event)
        }
    }

    enum Wish { case stream, pause, heartbeat }

    private func fill(_ context: ChannelHandlerContext) {
        while sent - acknowledged < window {
            sent += 1
            // Like a real machine: most figures stay or move a little.
            for index in values.indices where (Int(sent) + index) % 3 == 0 {
                values[index] = (values[index] ?? 0) + Double((index &* 7 &+ Int(sent)) % 11)
            }
            let metrics = Metrics(
                seq: sent, time: base + sent * 1000, set: SeriesDefinition(names: names).set, values: values)
            send(.metrics(metrics), context)
        }
    }

    private func send(_ message: AgentMessage, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: message.line())), promise: nil)
    }
}
