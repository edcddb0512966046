package import NIOCore
import NIOPosix

/// A TCP listener whose connections begin with TLS.
package enum SecureServer {
    /// Binds; the channel's `localAddress` tells the port when 0 was asked for.
    /// - Parameters:
    ///   - context: asked for at each connection, so that a renewed certificate takes effect at once.
    ///   - gate: shared by the listeners that are to be counted together; nil counts nothing.
    ///   - initializer: adds the application's handlers behind the TLS handler, on the channel's event loop.
    package static func bind(
        host: String, port: Int, on group: any EventLoopGroup, gate: ConnectionGate? = nil, backlog: Int32 = 1024,
        context: @escaping @Sendable () -> TLSContext,
        initializer: @escaping @Sendable (any Channel) throws -> Void
    ) -> EventLoopFuture<any Channel> {
        ServerBootstrap(group: group)
            .serverChannelOption(.backlog, value: backlog)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    // Out of descriptors: without it the loop would ask for the next connection again and again.
                    try channel.pipeline.syncOperations.addHandler(
                        AcceptBackoffHandler(shouldForwardIOErrorCaught: false))
                }
            }
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(TLSHandler(context: context(), gate: gate))
                    try initializer(channel)
                }
            }
            .bind(host: host, port: port)
    }
}

/// A TCP connection that begins with TLS.
package enum SecureClient {
    /// Connects and shakes hands; fails with the connect error or with a `TLSError`.
    /// A server that does not like our certificate says so only afterwards, through `errorCaught`.
    /// - Parameter initializer: adds the application's handlers behind the TLS handler, on the channel's event loop.
    package static func connect(
        host: String, port: Int, on group: any EventLoopGroup, context: TLSContext,
        connectLimit: Duration = .seconds(10),
        initializer: @escaping @Sendable (any Channel) throws -> Void
    ) -> EventLoopFuture<any Channel> {
        let eventLoop = group.next()
        let handshake = eventLoop.makePromise(of: TLSHandshakeCompleted.self)
        let connected = ClientBootstrap(group: eventLoop)
            .connectTimeout(TimeAmount(connectLimit))
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let handler = TLSHandler(context: context, handshakePromise: handshake)
                    try channel.pipeline.syncOperations.addHandler(handler)
                    try initializer(channel)
                }
            }
            .connect(host: host, port: port)
        connected.whenFailure { handshake.fail($0) }
        return connected.flatMap { channel in handshake.futureResult.map { _ in channel } }
    }
}
