import NIOCore
import NIOPosix

/// All connections of a proxy and the plan that they follow. Lives on the proxy's event loop.
final class Exchange {
    let loop: any EventLoop
    private let target: SocketAddress
    private var plan: FaultPlan
    private var count = 0
    private var connections: [ObjectIdentifier: Connection] = [:]
    private(set) var strikes: [FaultProxy.Strike] = []
    /// Until then the network is a hole.
    private var silentUntil: NIODeadline?
    private var unanswered: [any Channel] = []

    init(_ loop: any EventLoop, _ target: SocketAddress, _ plan: FaultPlan) {
        (self.loop, self.target, self.plan) = (loop, target, plan)
    }

    var total: Int { count }

    func follow(_ plan: FaultPlan) {
        self.plan = plan
        (count, strikes) = (0, [])
    }

    func struck(_ fault: Fault, _ number: Int, _ passed: Int) {
        strikes.append(FaultProxy.Strike(connection: number, fault: fault, passed: passed, time: .now))
    }

    func closed(_ connection: Connection) { connections[ObjectIdentifier(connection)] = nil }

    func resetAll() {
        for connection in Array(connections.values) { connection.reset() }
        for channel in unanswered { channel.close(promise: nil) }
        unanswered = []
    }

    /// Swallows everything for a while. New connections are taken and get no answer.
    func fallSilent(_ milliseconds: Int) {
        let end = NIODeadline.now() + .milliseconds(Int64(milliseconds))
        silentUntil = max(silentUntil ?? end, end)
        for connection in connections.values { connection.swallow() }
        loop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(milliseconds))) { [weak self] in
            guard let self, let silentUntil, silentUntil <= .now() else { return }
            self.silentUntil = nil
            resetAll()
        }
    }

    /// A peer has dialled: it is connected with the target, or left without an answer.
    func accepted(_ client: any Channel, _ end: ConnectionEnd) {
        let number = count
        count += 1
        if silentUntil != nil { return unanswered.append(client) }
        let other = ConnectionEnd()
        let bound = NIOLoopBound(other, eventLoop: loop)
        let dialled = ClientBootstrap(group: loop)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.autoRead, value: false)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(bound.value) }
            }
            .connect(to: target)
        dialled.assumeIsolated().whenComplete { [weak self] result in
            guard let self, case .success(let server) = result, client.isActive else {
                client.close(promise: nil)
                if case .success(let server) = result { server.close(promise: nil) }
                return
            }
            join(number, client, server, end, other)
        }
    }

    private func join(
        _ number: Int, _ client: any Channel, _ server: any Channel, _ end: ConnectionEnd, _ other: ConnectionEnd
    ) {
        let connection = Connection(number, client, server, plan.faults(of: number), self)
        connections[ObjectIdentifier(connection)] = connection
        end.connection = connection
        other.connection = connection
        (end.conveyor, other.conveyor) = (connection.up, connection.down)
        if silentUntil != nil { connection.swallow() }
        connection.up?.move()
        connection.down?.move()
    }
}

/// One side of a connection, as its channel tells of it.
final class ConnectionEnd: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    weak var connection: Connection?
    weak var conveyor: Conveyor?

    func channelRead(context: ChannelHandlerContext, data: NIOAny) { conveyor?.received(unwrapInboundIn(data)) }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { conveyor?.ended() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            connection?.up?.move()
            connection?.down?.move()
        }
    }

    /// A reset of one side is a reset of the other.
    func errorCaught(context: ChannelHandlerContext, error: any Error) { connection?.reset() }

    func channelInactive(context: ChannelHandlerContext) { connection?.end() }
}
