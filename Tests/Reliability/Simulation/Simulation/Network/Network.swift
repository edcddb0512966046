import NIOCore

/// All connections between the nodes and the controller, and what may happen to them.
final class Network: @unchecked Sendable {
    // Unchecked: one thread.
    struct Refused: Error {}
    struct TimedOut: Error {}

    var chance: Chance
    /// Whether lines travel in pieces.
    var cutsLines = false
    /// The usual time of travel.
    var mean: Moment = .milliseconds(2)
    /// Nodes that reach nobody.
    private(set) var cut: Set<Int> = []
    private(set) var connections: [Connection] = []
    /// Where the controller listens; nil while it does not run.
    var listen: ((SimulatedChannel, _ node: Int) -> Void)?
    var controllerLoop: SimulatedLoop?
    var isDying: (Owner) -> Bool = { $0.isDead }
    /// Sees every flush, and may change what travels.
    var pass: ([UInt8], Connection.Direction, Connection) -> [[UInt8]] = { bytes, _, _ in [bytes] }
    private let scheduler = Scheduler.shared

    init(seed: UInt64) { chance = Chance(seed: seed, for: "network") }

    func pass(_ bytes: [UInt8], _ direction: Connection.Direction, on connection: Connection) -> [[UInt8]] {
        pass(bytes, direction, connection)
    }

    func latency() -> Moment { .microseconds(50) + chance.around(mean) }

    /// The agent's way out.
    func dial(
        from node: Int, on loop: SimulatedLoop, _ prepare: @escaping (any Channel) throws -> Void
    ) -> EventLoopFuture<any Channel> {
        let promise = loop.makePromise(of: (any Channel).self)
        if cut.contains(node) {
            loop.arrive(at: scheduler.now + .seconds(10)) { promise.fail(TimedOut()) }
            return promise.futureResult
        }
        guard let listen, let controllerLoop else {
            loop.arrive(at: scheduler.now + latency()) { promise.fail(Refused()) }
            return promise.futureResult
        }
        let near = SimulatedChannel(on: loop, remote: "10.0.0.1")
        let far = SimulatedChannel(on: controllerLoop, remote: "10.0.1.\(node)")
        let connection = Connection(node: node, agent: near, controller: far, network: self)
        controllerLoop.arrive(at: scheduler.now + latency()) {
            listen(far, node)
            far.open()
        }
        loop.arrive(at: scheduler.now + 2 * latency()) { [self] in
            connections.append(connection)
            do { try prepare(near) } catch { return promise.fail(error) }
            near.open()
            if connection.isBlackHole { near.receiveEnd() }
            promise.succeed(near)
        }
        return promise.futureResult
    }

    /// The connections that are in use.
    var live: [Connection] {
        connections.removeAll { $0.isOver }
        return connections
    }

    func cutOff(_ node: Int) {
        cut.insert(node)
        for connection in live where connection.node == node { connection.vanish() }
    }

    func heal(_ node: Int) { cut.remove(node) }

    /// The process at one end is gone. Its kernel says so, unless the machine is gone with it.
    func died(_ owner: Owner, silently: Bool) {
        for connection in live {
            for end in [connection.agent, connection.controller] {
                guard (end.eventLoop as? SimulatedLoop)?.owner === owner else { continue }
                if silently { connection.vanish() } else { connection.closed(by: end) }
            }
        }
    }
}
