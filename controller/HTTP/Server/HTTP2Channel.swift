import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP2
import NIOHTTPTypes
import NIOHTTPTypesHTTP2

/// HTTP/2 (RFC 9113) on a connection: each of its streams is served like a connection of HTTP/1.1 with one request.
struct HTTP2Channel: Sendable {
    typealias Stream = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>
    typealias Streams = NIOHTTP2Handler.AsyncStreamMultiplexer<Stream>

    static let protocolName = "h2"

    /// Serves the streams.
    let http1: HTTP1Channel
    let strangers: UnauthenticatedStreams
    let idleTimeout: Duration

    /// How many streams one connection may have open.
    static let concurrentStreams = 128
    /// How long what is under way may go on once the connection is to end.
    private static let grace = Duration.seconds(15)

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Streams> {
        channel.eventLoop.makeCompletedFuture {
            let rules = HTTP2Rules(grace: TimeAmount(min(idleTimeout, Self.grace)))
            let lifetime = NIOHTTP2ServerConnectionManagementHandler(
                eventLoop: channel.eventLoop, configuration: lifetime)
            let bound = NIOLoopBound(rules, eventLoop: channel.eventLoop)
            let streams = try channel.pipeline.syncOperations.configureAsyncHTTP2Pipeline(
                mode: .server, streamDelegate: lifetime.http2StreamDelegate, frameDelegate: rules,
                configuration: Self.limits
            ) { stream in
                stream.eventLoop.makeCompletedFuture {
                    let isWelcome = bound.value.isProved || strangers.admit(stream)
                    return try open(stream, StreamGuard(isWelcome: isWelcome), logger)
                }
            }
            try channel.pipeline.syncOperations.addHandlers(rules, lifetime)
            return streams
        }
    }

    func handle(_ streams: Streams, logger: Logger) async {
        try? await withThrowingDiscardingTaskGroup { group in
            for try await stream in streams.inbound {
                group.addTask { await http1.handle(value: stream, logger: logger) }
            }
        }
    }

    private func open(_ stream: any Channel, _ guardian: StreamGuard, _ logger: Logger) throws -> Stream {
        try stream.pipeline.syncOperations.addHandlers(
            HTTP2FramePayloadToHTTPServerCodec(), guardian,
            HTTPConnectionStateHandler(idleTimeout: idleTimeout, logger: logger))
        return try Stream(wrappingChannelSynchronously: stream)
    }

    /// The peer is pinged when it is silent, so that one that is gone does not keep its event streams.
    private var lifetime: NIOHTTP2ServerConnectionManagementHandler.Configuration {
        let idle = TimeAmount(idleTimeout)
        return .init(
            maxIdleTime: idle, maxAge: nil, maxGraceTime: nil, keepalive: .init(pingInterval: idle, ackTimeout: idle))
    }

    /// What the peer is told it may do; and how many resets, errors and frames that carry nothing are too many, for which
    /// the library's own numbers stand: 200 in 30 s each.
    private static var limits: NIOHTTP2Handler.Configuration {
        var limits = NIOHTTP2Handler.Configuration()
        limits.connection.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: concurrentStreams),
            HTTP2Setting(parameter: .maxHeaderListSize, value: HeadLimits.bytes),
        ]
        // Answers to bodies that are still on their way end their streams with a reset.
        limits.connection.maximumRecentlyResetStreams = concurrentStreams
        limits.connection.maximumBufferedControlFrames = 1000
        return limits
    }
}
