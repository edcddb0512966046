import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import Transport

/// HTTP/1.1 inside TLS of the house: the same libssl and the same rules as the agents' port.
struct TLSChildChannel: ServerChildChannel {
    let context: @Sendable () -> TLSContext
    /// Counts connections that have not shown a valid key.
    let gate: ConnectionGate
    let http: HTTP1Channel

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(TLSHandler(context: context(), gate: gate))
        }.flatMap { http.setup(channel: channel, logger: logger) }.flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let parser = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(HeadGuard(), position: .after(parser))
            return value
        }
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await http.handle(value: value, logger: logger)
    }
}
