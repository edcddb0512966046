import Glibc
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import Transport

/// What one end of a connection saw. Filled on its event loop, read by the test.
final class Sightings: Sendable {
    struct State {
        var bytes: [UInt8] = []
        var received = 0
        var handshake: TLSHandshakeCompleted?
        var errors: [any Error] = []
        var inputClosed = false
        var inactive = false
        var channel: (any Channel)?
    }

    private let state = NIOLockedValueBox(State())

    var now: State { state.withLockedValue { $0 } }
    var text: String { String(decoding: now.bytes, as: UTF8.self) }
    var tlsErrors: [TLSError] { now.errors.compactMap { $0 as? TLSError } }

    func change(_ body: (inout State) -> Void) { state.withLockedValue { body(&$0) } }

    func wait(_ what: String, _ condition: @Sendable (State) -> Bool) async throws {
        try await eventually("\(what); seen: \(now.errors), \(now.received) bytes") { condition(now) }
    }
}

/// The application of a test.
final class Probe: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Manner: Sendable {
        case collect
        case echo
        /// Says this after the peer's close_notify, then closes.
        case answerAtEnd(String)
        /// Keeps no bytes, checks that they count up modulo 251.
        case checkCounting
    }

    private let sightings: Sightings
    private let manner: Manner

    init(_ sightings: Sightings, _ manner: Manner = .collect) {
        self.sightings = sightings
        self.manner = manner
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = context.channel
        sightings.change { $0.channel = channel }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = unwrapInboundIn(data)
        if case .checkCounting = manner { check(buffer) }
        sightings.change { state in
            state.received += buffer.readableBytes
            if case .checkCounting = manner { return }
            state.bytes += buffer.readableBytesView
        }
        if case .echo = manner { context.writeAndFlush(wrapOutboundOut(buffer), promise: nil) }
    }

    private func check(_ buffer: ByteBuffer) {
        let start = sightings.now.received % 251
        let right = buffer.withUnsafeReadableBytes { bytes in
            CountingSource.pattern[start...].withUnsafeBytes { pattern in
                bytes.count <= pattern.count && memcmp(bytes.baseAddress!, pattern.baseAddress!, bytes.count) == 0
            }
        }
        if !right { sightings.change { $0.errors.append(Failure(what: "wrong bytes")) } }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let handshake = event as? TLSHandshakeCompleted { sightings.change { $0.handshake = handshake } }
        context.fireUserInboundEventTriggered(event)
        guard event as? ChannelEvent == .inputClosed else { return }
        sightings.change { $0.inputClosed = true }
        if case .answerAtEnd(let answer) = manner {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: answer)), promise: nil)
        }
        context.close(promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        sightings.change { $0.errors.append(error) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        sightings.change { $0.inactive = true }
    }
}

/// Hands every received byte on by itself.
final class Fragmenter: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        for byte in unwrapInboundIn(data).readableBytesView {
            context.fireChannelRead(wrapInboundOut(ByteBuffer(bytes: [byte])))
        }
    }
}

/// A server on an ephemeral port, and what each of its connections saw, in order of arrival.
final class Host: Sendable {
    let channel: any Channel
    let gate: ConnectionGate
    private let connections: NIOLockedValueBox<[Sightings]>

    init(
        _ context: TLSContext, manner: Probe.Manner = .collect, gate: ConnectionGate = ConnectionGate(),
        prepare: @escaping @Sendable (any Channel) throws -> Void = { _ in }
    ) async throws {
        let connections = NIOLockedValueBox<[Sightings]>([])
        self.connections = connections
        self.gate = gate
        channel = try await SecureServer.bind(
            host: "127.0.0.1", port: 0, on: MultiThreadedEventLoopGroup.singleton, gate: gate,
            context: { context },
            initializer: { channel in
                let sightings = Sightings()
                connections.withLockedValue { $0.append(sightings) }
                try channel.pipeline.syncOperations.addHandler(Probe(sightings, manner))
                try prepare(channel)
            }
        ).get()
    }

    deinit { channel.close(promise: nil) }

    var port: Int { channel.localAddress?.port ?? 0 }
    var all: [Sightings] { connections.withLockedValue { $0 } }
    var count: Int { all.count }

    func connection(_ index: Int = 0) async throws -> Sightings {
        try await eventually("connection \(index) arrives") { count > index }
        return connections.withLockedValue { $0[index] }
    }

    func dial(
        _ context: TLSContext, manner: Probe.Manner = .collect,
        prepare: @escaping @Sendable (any Channel) throws -> Void = { _ in }
    ) async throws -> (channel: any Channel, saw: Sightings) {
        try await TransportTests.dial(port: port, context, manner: manner, prepare: prepare)
    }
}

func dial(
    port: Int, _ context: TLSContext, manner: Probe.Manner = .collect,
    prepare: @escaping @Sendable (any Channel) throws -> Void = { _ in }
) async throws -> (channel: any Channel, saw: Sightings) {
    let sightings = Sightings()
    let channel = try await SecureClient.connect(
        host: "127.0.0.1", port: port, on: MultiThreadedEventLoopGroup.singleton, context: context,
        initializer: { channel in
            try channel.pipeline.syncOperations.addHandler(Probe(sightings, manner))
            try prepare(channel)
        }
    ).get()
    return (channel, sightings)
}
