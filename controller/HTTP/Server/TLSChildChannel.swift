import HummingbirdCore
import Logging
import NIOCore
import Transport

/// HTTP inside TLS of the house: the same libssl and the same rules as the agents' port. Which HTTP is agreed on in the
/// handshake.
struct TLSChildChannel: ServerChildChannel {
    let context: @Sendable () -> TLSContext
    /// Counts connections that have not shown a valid key.
    let gate: ConnectionGate
    let http1: HTTP1Channel
    let http2: HTTP2Channel

    /// What a connection speaks.
    enum Spoken: Sendable {
        case http1(HTTP1Channel.Value)
        case http2(HTTP2Channel.Streams)
    }

    struct Value: ServerChildChannelValue {
        let channel: any Channel
        /// Known at the end of the handshake; fails where there is none.
        let spoken: EventLoopFuture<Spoken>
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            let promise = channel.eventLoop.makePromise(of: Spoken.self)
            let choice = ProtocolChoice(promise) { service in
                service == HTTP2Channel.protocolName
                    ? http2.setup(channel: channel, logger: logger).map(Spoken.http2)
                    : http1.guarded(channel, logger).map(Spoken.http1)
            }
            try channel.pipeline.syncOperations.addHandlers(TLSHandler(context: context(), gate: gate), choice)
            return Value(channel: channel, spoken: promise.futureResult)
        }
    }

    func handle(value: Value, logger: Logger) async {
        await withTaskCancellationHandler {
            switch try? await value.spoken.get() {
            case .http1(let value): await http1.handle(value: value, logger: logger)
            case .http2(let streams): await http2.handle(streams, logger: logger)
            case nil: break
            }
        } onCancel: {
            value.channel.close(promise: nil)
        }
    }
}
