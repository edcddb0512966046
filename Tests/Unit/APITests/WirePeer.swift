import NIOCore
import NIOHPACK
import NIOPosix
import Synchronization
import Transport

@testable import API
@testable import HTTP

/// A peer that speaks HTTP/2 frame by frame, as it likes.
final class WirePeer: Sendable {
    let channel: any Channel
    private let arrivals: AsyncStream<[UInt8]>
    private let rest = Mutex<[UInt8]>([])
    private let decoder = Mutex(HPACKDecoder(allocator: ByteBufferAllocator()))

    /// Connects and greets.
    /// - Parameter window: how much the server may send on each stream before it is told to go on.
    private init(_ open: OpenHouse, window: UInt32) async throws {
        let context = try TLSContext(
            client: TLSClientConfiguration(
                trust: .authorities([open.authority.certificate]), serverName: "localhost", protocols: ["h2"]))
        let (arrivals, sink) = AsyncStream.makeStream(of: [UInt8].self)
        self.arrivals = arrivals
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandlers(TLSHandler(context: context), Arrivals(sink))
                }
            }.connect(host: "127.0.0.1", port: open.port).get()
        await send(Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8))
        await send(Frame(.settings, payload: [0, 4] + Frame.four(window)))
    }

    /// Runs `body` with a peer, and leaves: the server would wait for its answer to the farewell.
    static func with(
        _ open: OpenHouse, window: UInt32 = 65535, _ body: (WirePeer) async throws -> Void
    ) async throws {
        let peer = try await WirePeer(open, window: window)
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body(peer)) } catch { outcome = .failure(error) }
        try? await peer.channel.close()
        try outcome.get()
    }

    /// That the server has closed meanwhile is found out by reading.
    func send(_ bytes: [UInt8]) async { try? await channel.writeAndFlush(ByteBuffer(bytes: bytes)) }

    func send(_ frames: Frame...) async { await send(frames.flatMap(\.bytes)) }

    /// The next frame; nil once the connection has ended.
    func next() async -> Frame? {
        var chunks = arrivals.makeAsyncIterator()
        while true {
            if let frame = take() { return frame }
            guard let chunk = await chunks.next() else { return nil }
            rest.withLock { $0 += chunk }
        }
    }

    /// The next frame like that; nil where the connection ends before it comes.
    func next(_ fits: (Frame) -> Bool) async -> Frame? {
        while let frame = await next() { if fits(frame) { return frame } }
        return nil
    }

    /// The status of the next answer on a stream; nil where there is none.
    func status(of stream: UInt32) async throws -> String? {
        while let frame = await next() {
            if frame.kind == .reset, frame.stream == stream { return nil }
            guard frame.kind == .headers else { continue }
            // Each block changes how the next is read.
            var block = ByteBuffer(bytes: frame.payload)
            let fields = try decoder.withLock { try $0.decodeHeaders(from: &block) }
            if frame.stream == stream { return fields.first(name: ":status") }
        }
        return nil
    }

    private func take() -> Frame? {
        rest.withLock { rest in
            guard rest.count >= 9 else { return nil }
            let length = Int(rest[0]) << 16 | Int(rest[1]) << 8 | Int(rest[2])
            guard rest.count >= 9 + length else { return nil }
            defer { rest.removeFirst(9 + length) }
            return Frame(
                Frame.Kind(rawValue: rest[3]), rest[4], stream: rest[5...8].reduce(0) { $0 << 8 | UInt32($1) },
                payload: Array(rest[9..<(9 + length)]))
        }
    }
}

/// A frame of HTTP/2 (RFC 9113, 4.1).
struct Frame: Sendable {
    struct Kind: RawRepresentable, Sendable, Equatable {
        let rawValue: UInt8
        static let data = Kind(rawValue: 0)
        static let headers = Kind(rawValue: 1)
        static let reset = Kind(rawValue: 3)
        static let settings = Kind(rawValue: 4)
        static let ping = Kind(rawValue: 6)
        static let farewell = Kind(rawValue: 7)
        static let windowUpdate = Kind(rawValue: 8)
        static let continuation = Kind(rawValue: 9)
    }

    static let endStream: UInt8 = 1
    static let endHeaders: UInt8 = 4
    static let enhanceYourCalm: UInt8 = 11

    let kind: Kind
    var flags: UInt8
    let stream: UInt32
    var payload: [UInt8]

    init(_ kind: Kind, _ flags: UInt8 = 0, stream: UInt32 = 0, payload: [UInt8] = []) {
        self.kind = kind
        self.flags = flags
        self.stream = stream
        self.payload = payload
    }

    /// The head of a request.
    static func head(
        _ stream: UInt32, _ method: String = "GET", _ path: String = "/healthz", ends: Bool = true,
        authority: String? = "localhost", fields: [(String, String)] = []
    ) -> Frame {
        let pseudo = [(":method", method), (":scheme", "https"), (":path", path)]
        let all = pseudo + (authority.map { [(":authority", $0)] } ?? []) + fields
        return Frame(
            .headers, endHeaders | (ends ? endStream : 0), stream: stream, payload: all.flatMap { field($0.0, $0.1) })
    }

    /// One field, never indexed.
    static func field(_ name: String, _ value: String) -> [UInt8] {
        [0x10] + text(name) + text(value)
    }

    static func four(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(number >> (24 - 8 * $0) & 255) } }

    var bytes: [UInt8] {
        Frame.four(UInt32(payload.count)).dropFirst() + [kind.rawValue, flags] + Frame.four(stream) + payload
    }

    /// Why, of a reset or a farewell.
    var code: UInt8? { payload.last }

    private static func text(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        guard bytes.count >= 127 else { return [UInt8(bytes.count)] + bytes }
        var (length, rest) = ([UInt8(127)], bytes.count - 127)
        while rest >= 128 {
            length.append(UInt8(rest & 127 | 128))
            rest >>= 7
        }
        return length + [UInt8(rest)] + bytes
    }
}

/// What a channel delivers, for whoever waits for it.
private final class Arrivals: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer
    private let sink: AsyncStream<[UInt8]>.Continuation

    init(_ sink: AsyncStream<[UInt8]>.Continuation) { self.sink = sink }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        sink.yield(Array(unwrapInboundIn(data).readableBytesView))
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // The server has said all.
        if event as? ChannelEvent == .inputClosed { context.close(promise: nil) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelInactive(context: ChannelHandlerContext) { sink.finish() }
}
