import NIOCore
import NIOPosix
import WireProtocol

/// A connection that the engine gives up to one execution: behind the heads, bytes go both ways. No HTTP library lends
/// out its connection for that.
struct HijackedConnection: Sendable {
    typealias Inbound = NIOAsyncChannelInboundStream<ByteBuffer>
    typealias Outbound = NIOAsyncChannelOutboundWriter<ByteBuffer>

    /// One thread, started by the first execution that takes input.
    private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private static let headLimit = 64 << 10
    private let channel: NIOAsyncChannel<ByteBuffer, ByteBuffer>

    init(socket: String) async throws {
        channel = try await ClientBootstrap(group: Self.group).connectTimeout(.seconds(10))
            .connect(unixDomainSocketPath: socket) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel(
                        wrappingChannelSynchronously: channel,
                        configuration: .init(
                            isOutboundHalfClosureEnabled: true, inboundType: ByteBuffer.self,
                            outboundType: ByteBuffer.self))
                }
            }
    }

    /// Sends a request and, once the engine has agreed, hands both directions to `body`; closes the connection after it.
    /// - Parameter body: gets what came behind the head first.
    func post<Value: Sendable>(
        _ path: String, _ content: JSONObject,
        _ body: @Sendable ([UInt8], consuming Inbound.AsyncIterator, Outbound) async throws -> Value
    ) async throws -> Value {
        try await channel.executeThenClose { inbound, outbound in
            let bytes = JSONValue.object(content).encoded
            let head =
                "POST \(path) HTTP/1.1\r\nHost: engine\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
                + "Content-Type: application/json\r\nContent-Length: \(bytes.count)\r\n\r\n"
            try await outbound.write(ByteBuffer(bytes: Array(head.utf8) + bytes))
            var iterator = inbound.makeAsyncIterator()
            var received: [UInt8] = []
            while received.endOfHead == nil {
                guard received.count < Self.headLimit else {
                    throw EngineError.malformed("the engine's head has no end")
                }
                guard let more = try await iterator.next() else {
                    throw EngineError.malformed("the engine closed the connection without an answer")
                }
                received += more.readableBytesView
            }
            let end = received.endOfHead ?? received.count
            let status = Self.status(received)
            let rest = Array(received[end...])
            guard status == 101 || status == 200 else {
                throw EngineError.refused(status: status, message: try await Self.message(rest, &iterator))
            }
            return try await body(rest, iterator, outbound)
        }
    }

    private static func status(_ head: [UInt8]) -> Int {
        let words = head.prefix(64).split(separator: UInt8(ascii: " "))
        guard words.count >= 2, head.starts(with: "HTTP/1.".utf8) else { return 0 }
        return Int(String(decoding: words[1].prefix(3), as: UTF8.self)) ?? 0
    }

    /// The reason within a refusal, which may be chunked: the object's braces are looked for.
    private static func message(_ start: [UInt8], _ inbound: inout Inbound.AsyncIterator) async throws -> String {
        var body = start
        while body.count < headLimit, !body.contains(UInt8(ascii: "}")), let more = try await inbound.next() {
            body += more.readableBytesView
        }
        guard let first = body.firstIndex(of: UInt8(ascii: "{")), let last = body.lastIndex(of: UInt8(ascii: "}")),
            first < last, let text = (try? JSONParser.parse(body[first...last]))?["message"]?.asString
        else { return String(decoding: body.prefix(500), as: UTF8.self).printable(limit: 500) }
        return text.printable(limit: 500)
    }
}

extension [UInt8] {
    /// Where the body begins; nil while the empty line has not come.
    fileprivate var endOfHead: Int? {
        let mark = Array("\r\n\r\n".utf8)
        guard count >= 4 else { return nil }
        return (0...(count - 4)).first { self[$0] == mark[0] && Array(self[$0..<$0 + 4]) == mark }.map { $0 + 4 }
    }
}
