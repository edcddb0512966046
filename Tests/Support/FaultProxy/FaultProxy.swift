import NIOCore
import NIOPosix

/// Stands between agents and a controller and hands on every byte, but for the faults of its plan.
///
/// Without a plan it is transparent: ends, resets and back-pressure of one side reach the other.
package final class FaultProxy: Sendable {
    /// A fault that has struck.
    package struct Strike: Sendable, CustomStringConvertible {
        /// Counted from 0 since the plan began.
        package let connection: Int
        package let fault: Fault
        /// Bytes of the direction that had passed.
        package let passed: Int
        package let time: ContinuousClock.Instant

        package var description: String { "connection \(connection): \(fault)" }
    }

    /// `127.0.0.1:PORT`, for the agents.
    package let address: String
    package let port: Int
    private let listener: any Channel
    private let exchange: NIOLoopBound<Exchange>
    private var loop: any EventLoop { listener.eventLoop }

    /// - Parameter port: of the loopback, where the controller listens or will listen.
    package static func start(toPort port: Int, plan: FaultPlan = .none) async throws -> FaultProxy {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let target = try SocketAddress(ipAddress: "127.0.0.1", port: port)
        let exchange = try await loop.submit { NIOLoopBound(Exchange(loop, target, plan), eventLoop: loop) }.get()
        let listener = try await ServerBootstrap(group: loop)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .serverChannelOption(.backlog, value: 1024)
            .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.autoRead, value: false)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let end = ConnectionEnd()
                    try channel.pipeline.syncOperations.addHandler(end)
                    // Its own handler sees no event before it is registered.
                    let bound = NIOLoopBound(end, eventLoop: channel.eventLoop)
                    channel.eventLoop.execute { exchange.value.accepted(channel, bound.value) }
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        return FaultProxy(listener, exchange)
    }

    private init(_ listener: any Channel, _ exchange: NIOLoopBound<Exchange>) {
        (self.listener, self.exchange) = (listener, exchange)
        port = listener.localAddress?.port ?? 0
        address = "127.0.0.1:\(port)"
    }

    /// Follows another plan from the next connection on, which counts as the first.
    package func follow(_ plan: FaultPlan) async { await on { $0.follow(plan) } }

    /// The faults so far, since the plan began.
    package var strikes: [Strike] { get async { await on { $0.strikes } } }

    /// Connections since the plan began.
    package var connections: Int { get async { await on { $0.total } } }

    /// Resets every connection.
    package func cut() async { await on { $0.resetAll() } }

    /// Cuts every connection again and again.
    package func storm(every interval: Duration, times: Int) async throws {
        for _ in 0..<times {
            await cut()
            try await Task.sleep(for: interval)
        }
    }

    /// Swallows everything for a while, then resets.
    package func fallSilent(for time: Duration) async {
        let milliseconds = Int(time / .milliseconds(1))
        await on { $0.fallSilent(milliseconds) }
    }

    /// Ends all connections and listens no more.
    package func stop() async {
        try? await listener.close().get()
        await cut()
    }

    private func on<Value: Sendable>(_ work: @escaping @Sendable (Exchange) -> Value) async -> Value {
        // Fails only when the loop has been shut down, and then there is nothing to ask.
        try! await loop.submit { [exchange] in work(exchange.value) }.get()
    }
}
