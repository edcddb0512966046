import FaultProxy
import Glibc
import NIOCore
import NIOPosix
import Synchronization
import Testing

/// One end of a connection as a test sees it: what has come, and how it ended.
final class Peer: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    enum Ending: Sendable { case end, reset }

    private struct State {
        var bytes: [UInt8] = []
        var pieces: [Int] = []
        var ending: Ending?
        var channel: (any Channel)?
    }
    private let state = Mutex(State())

    var bytes: [UInt8] { state.withLock { $0.bytes } }
    /// Cheap to ask while much comes: bytes that were given away are copied when the next ones come.
    var count: Int { state.withLock { $0.bytes.count } }
    var pieces: [Int] { state.withLock { $0.pieces } }
    var ending: Ending? { state.withLock { $0.ending } }
    var isActive: Bool { state.withLock { $0.channel != nil } }

    func send(_ bytes: [UInt8]) {
        // A reset is noticed by whichever comes first, reading or writing.
        state.withLock { $0.channel }?.writeAndFlush(ByteBuffer(bytes: bytes)).whenFailure { self.failed($0) }
    }
    func close() { state.withLock { $0.channel }?.close(promise: nil) }
    func finish() { state.withLock { $0.channel }?.close(mode: .output, promise: nil) }

    func begin(on channel: any Channel) { state.withLock { $0.channel = channel } }

    func channelActive(context: ChannelHandlerContext) { begin(on: context.channel) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = Array(unwrapInboundIn(data).readableBytesView)
        state.withLock {
            $0.bytes += bytes
            $0.pieces.append(bytes.count)
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { state.withLock { $0.ending = $0.ending ?? .end } }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { failed(error) }

    private func failed(_ error: any Error) {
        let isReset = [ECONNRESET, EPIPE].contains((error as? IOError)?.errnoCode)
        if isReset { state.withLock { $0.ending = .reset } }
    }

    func channelInactive(context: ChannelHandlerContext) { state.withLock { $0.ending = $0.ending ?? .end } }
}

/// A client and a server with a proxy between them.
final class Pipe: Sendable {
    let proxy: FaultProxy
    private let listener: any Channel
    private let box: Box

    private final class Box: Sendable {
        let servers = Mutex<[Peer]>([])
    }

    init(_ plan: FaultPlan = .none) async throws {
        let box = Box()
        listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                let peer = Peer()
                box.servers.withLock { $0.append(peer) }
                return channel.pipeline.addHandler(peer)
            }
            .bind(host: "127.0.0.1", port: 0).get()
        self.box = box
        proxy = try await FaultProxy.start(toPort: listener.localAddress?.port ?? 0, plan: plan)
    }

    /// The server's end of a connection, once it can send.
    func server(_ number: Int = 0) -> Peer? {
        let peer = box.servers.withLock { number < $0.count ? $0[number] : nil }
        return peer?.isActive == true ? peer : nil
    }

    func dial() async throws -> Peer {
        let peer = Peer()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { $0.pipeline.addHandler(peer) }
            .connect(host: "127.0.0.1", port: proxy.port).get()
        // It is told that it is active a moment later.
        peer.begin(on: channel)
        return peer
    }

    func stop() async {
        await proxy.stop()
        try? await listener.close().get()
    }
}
