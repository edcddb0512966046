package import Logging
package import NIOCore
import NIOPosix
import ServiceLifecycle
package import Transport
import WireProtocol

/// The port that agents dial: sessions of enrolled nodes and enrolments, told apart by ALPN.
package final class AgentListener: Service {
    package struct Configuration: Sendable {
        package var host = "127.0.0.1"
        /// 0 asks the system for a free one.
        package var port = 7443
        package var eventLoops = 1
        /// Connections that may be open without having proved who they are: in all, and from one address.
        package var unproved = 1024
        package var unprovedPerAddress = 256
        package var limits = TLSLimits()

        package init() {}
    }

    private let configuration: Configuration
    private let tls: @Sendable () -> TLSContext
    private let sessions: SessionManager
    private let enrolments: EnrolmentService
    private let gate: ConnectionGate
    private let unauthenticated: UnauthenticatedLog
    private let group: MultiThreadedEventLoopGroup
    private let bound: AsyncStream<SocketAddress>
    private let announce: AsyncStream<SocketAddress>.Continuation
    private let logger: Logger

    /// - Parameter tls: asked at each connection, so that a renewed certificate takes effect at once.
    package init(
        configuration: Configuration, tls: @escaping @Sendable () -> TLSContext, sessions: SessionManager,
        enrolments: EnrolmentService, logger: Logger
    ) {
        self.configuration = configuration
        self.tls = tls
        self.sessions = sessions
        self.enrolments = enrolments
        self.logger = logger
        unauthenticated = UnauthenticatedLog(logger: logger)
        gate = ConnectionGate(total: configuration.unproved, perAddress: configuration.unprovedPerAddress)
        group = MultiThreadedEventLoopGroup(numberOfThreads: configuration.eventLoops)
        (bound, announce) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// The address that the port is bound to; waits for `run`, and is nil when that cannot bind it. One caller only.
    package func address() async -> SocketAddress? {
        for await address in bound { return address }
        return nil
    }

    package func run() async throws {
        defer { announce.finish() }
        let listening = SecureServer.bind(
            host: configuration.host, port: configuration.port, on: group, gate: gate,
            context: tls,
            initializer: { [sessions, enrolments, unauthenticated] channel in
                try channel.pipeline.syncOperations.addHandler(
                    ServiceSelector(sessions: sessions, enrolments: enrolments, unauthenticated: unauthenticated))
            }
        )
        let channel: any Channel
        do { channel = try await listening.get() } catch {
            throw ListenError("the port of the agents", host: configuration.host, port: configuration.port, error)
        }
        logger.info("waiting for agents", metadata: ["address": "\(channel.localAddress?.description ?? "?")"])
        if let address = channel.localAddress { announce.yield(address) }
        announce.finish()
        await withTaskCancellationOrGracefulShutdownHandler {
            try? await channel.closeFuture.get()
        } onCancelOrGracefulShutdown: {
            channel.close(promise: nil)
        }
        try await group.shutdownGracefully()
    }
}

/// Puts the right handlers in place once the handshake says which service the peer wants.
private final class ServiceSelector: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let sessions: SessionManager
    private let enrolments: EnrolmentService
    private let unauthenticated: UnauthenticatedLog

    init(sessions: SessionManager, enrolments: EnrolmentService, unauthenticated: UnauthenticatedLog) {
        self.sessions = sessions
        self.enrolments = enrolments
        self.unauthenticated = unauthenticated
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let completed = event as? TLSHandshakeCompleted else {
            return context.fireUserInboundEventTriggered(event)
        }
        do {
            let pipeline = context.pipeline.syncOperations
            if completed.service == ProtocolVersion.alpn, let peer = completed.peer, let node = peer.nodeID {
                try sessions.serve(context.channel, certificate: peer, node: node)
            } else if completed.service == ProtocolVersion.enrolmentALPN {
                let lines = LineDecoder(maximumBytes: ProtocolVersion.maximumEnrolmentBytes)
                try pipeline.addHandlers([lines, EnrolmentHandler(enrolments: enrolments)])
            } else {
                return context.close(promise: nil)
            }
            context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
        } catch {
            context.fireErrorCaught(error)
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        unauthenticated.note(context.remoteAddress, error)
        context.close(promise: nil)
    }
}
