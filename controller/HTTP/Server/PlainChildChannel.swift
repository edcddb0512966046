import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1

/// HTTP/1.1 without TLS, for a proxy on the same machine.
struct PlainChildChannel: ServerChildChannel {
    let http1: HTTP1Channel

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        http1.guarded(channel, logger)
    }

    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await withTaskCancellationHandler {
            await http1.handle(value: value, logger: logger)
        } onCancel: {
            value.channel.close(promise: nil)
        }
    }
}

extension HTTP1Channel {
    /// Its pipeline with a guard behind the parser.
    func guarded(_ channel: any Channel, _ logger: Logger) -> EventLoopFuture<Value> {
        setup(channel: channel, logger: logger).flatMapThrowing { value in
            let pipeline = channel.pipeline.syncOperations
            let parser = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
            try pipeline.addHandler(HeadGuard(), position: .after(parser))
            return value
        }
    }
}
