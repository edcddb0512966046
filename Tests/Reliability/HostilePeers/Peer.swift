import Glibc
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Transport
import WireProtocol

/// A TLS client that says exactly what a test tells it to, and remembers what it hears.
final class Peer: Sendable {
    struct Seen: Sendable {
        var bytes: [UInt8] = []
        var isClosed = false
        /// Why the connection failed, in words.
        var errors: [String] = []
    }

    let channel: any Channel
    private let ear: Ear

    private init(_ channel: any Channel, _ ear: Ear) { (self.channel, self.ear) = (channel, ear) }

    deinit { channel.close(promise: nil) }

    /// Connects and shakes hands.
    static func dial(
        _ port: Int, trusting authority: Certificate, as identity: TLSIdentity? = nil, speaking protocols: [String]
    ) async throws -> Peer {
        let ear = Ear()
        let context = try TLSContext(
            client: TLSClientConfiguration(
                trust: .authorities([authority]), serverName: "localhost", identity: identity, protocols: protocols))
        let channel = try await SecureClient.connect(
            host: "127.0.0.1", port: port, on: MultiThreadedEventLoopGroup.singleton, context: context,
            initializer: { try $0.pipeline.syncOperations.addHandler(EarHandler(ear)) }
        ).get()
        return Peer(channel, ear)
    }

    var seen: Seen { ear.seen.withLock { $0 } }
    var isClosed: Bool { seen.isClosed }
    /// Nothing more is read, whatever comes.
    ///
    /// The receive buffer stays as it is: a window that shrinks while data is on the way makes the kernel drop the other
    /// side's acknowledgements too, and then this side cannot say anything any more either.
    func goDeaf() async throws { try await channel.setOption(.autoRead, value: false).get() }

    /// Waits until the bytes have left.
    func send(_ bytes: [UInt8]) async throws { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)) }
    func send(_ text: String) async throws { try await send(Array(text.utf8)) }

    /// Does not wait: the other side may take nothing.
    func offer(_ bytes: [UInt8]) { channel.writeAndFlush(ByteBuffer(bytes: bytes), promise: nil) }

    func close() async { try? await channel.close() }

    /// Ends the connection with a TCP reset, in the middle of whatever it was.
    func reset() async {
        let linger = linger(l_onoff: 1, l_linger: 0)
        try? await (channel as? any SocketOptionProvider)?.setSoLinger(linger).get()
        // From the TLS handler outwards: without a close_notify.
        try? await channel.eventLoop.submit { [channel] in
            try channel.pipeline.syncOperations.context(handlerType: TLSHandler.self).close(promise: nil)
        }.get()
    }

    /// Waits until the other side has ended the connection.
    func isLeft(within limit: Duration = .seconds(30)) async -> Bool {
        await eventually(within: limit) { self.isClosed }
    }

    /// Waits until what was heard is as wished.
    func hears(within limit: Duration = .seconds(30), _ isRight: @Sendable ([UInt8]) -> Bool) async -> Bool {
        await eventually(within: limit) { isRight(self.seen.bytes) }
    }

    /// What the controller said so far, line by line.
    var messages: [ControllerMessage] {
        seen.bytes.split(separator: UInt8(ascii: "\n")).compactMap { try? ControllerMessage(decoding: $0) }
    }

    /// The goodbye with which the controller ended the link; waits for it.
    func goodbye(within limit: Duration = .seconds(30)) async -> Goodbye? {
        _ = await isLeft(within: limit)
        guard case .goodbye(let goodbye) = messages.last else { return nil }
        return goodbye
    }
}

/// What one peer hears.
private final class Ear: Sendable {
    let seen = Mutex(Peer.Seen())
}

private final class EarHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let ear: Ear

    init(_ ear: Ear) { self.ear = ear }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data).readableBytesView
        ear.seen.withLock { $0.bytes += bytes }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // The other side has ended its half: so do we.
        if event as? ChannelEvent == .inputClosed { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        ear.seen.withLock { $0.errors.append("\(error)") }
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) { ear.seen.withLock { $0.isClosed = true } }
}
