import NIOCore

/// What becomes of the bytes between two ends.
final class Connection {
    enum Direction { case toController, toAgent }

    /// Changes the lines of one flush before they travel.
    typealias Tamper = (Direction, [UInt8]) -> [[UInt8]]

    let node: Int
    let agent: SimulatedChannel
    let controller: SimulatedChannel
    unowned let network: Network
    private let scheduler = Scheduler.shared
    private var arrival: [Direction: Moment] = [:]
    /// Nothing of this direction travels before this time.
    private var stalled: [Direction: Moment] = [:]
    /// Nothing gets through any more, and nobody is told.
    private(set) var isBlackHole = false
    private(set) var isOver = false

    init(node: Int, agent: SimulatedChannel, controller: SimulatedChannel, network: Network) {
        self.node = node
        self.agent = agent
        self.controller = controller
        self.network = network
        agent.connection = self
        controller.connection = self
    }

    /// Bytes that one side has written and the other has not taken.
    var pending: Int { max(agent.inFlight, controller.inFlight) }

    private func direction(from end: SimulatedChannel) -> Direction { end === agent ? .toController : .toAgent }
    private func receiver(_ direction: Direction) -> SimulatedChannel { direction == .toAgent ? agent : controller }

    func carry(_ bytes: [UInt8], from end: SimulatedChannel) {
        // What a process says in the moment of its death is not said.
        guard let loop = end.eventLoop as? SimulatedLoop, !network.isDying(loop.owner) else { return }
        let direction = direction(from: end)
        for line in network.pass(bytes, direction, on: self) { travel(line, direction) }
    }

    func travel(_ bytes: [UInt8], _ direction: Direction) {
        scheduler.trace.mix(bytes)
        guard !isBlackHole else { return }
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = network.cutsLines ? rest.prefix(1 + network.chance.below(rest.count)) : rest
            rest = rest.dropFirst(piece.count)
            let chunk = Array(piece)
            let end = receiver(direction)
            deliver(direction) { end.receive(chunk) }
        }
    }

    private func deliver(_ direction: Direction, _ body: @escaping () -> Void) {
        guard let loop = receiver(direction).eventLoop as? SimulatedLoop else { return }
        let soonest = max(scheduler.now + network.latency(), stalled[direction] ?? 0)
        let time = max(soonest, arrival[direction] ?? 0)
        arrival[direction] = time
        loop.arrive(at: time) { [self] in if !isBlackHole { body() } }
    }

    func taken(_ count: Int, by end: SimulatedChannel) {
        let sender = end === agent ? controller : agent
        guard let loop = sender.eventLoop as? SimulatedLoop else { return }
        loop.arrive(at: scheduler.now + network.latency()) { sender.acknowledged(count) }
    }

    /// The end closed in order: the other side hears of it behind everything that was sent.
    func closed(by end: SimulatedChannel) {
        isOver = true
        let direction = direction(from: end)
        let other = receiver(direction)
        deliver(direction) { other.receiveEnd() }
    }

    // MARK: faults

    /// Both sides lose it, each in its own time, with all that was on its way.
    func reset() {
        guard !isOver else { return }
        isOver = true
        isBlackHole = true
        for end in [agent, controller] {
            guard let loop = end.eventLoop as? SimulatedLoop else { continue }
            loop.arrive(at: scheduler.now + network.latency()) { end.receiveEnd() }
        }
    }

    /// One side loses it and the other does not hear of it.
    func halfOpen(losing direction: Direction) {
        guard !isOver else { return }
        isOver = true
        isBlackHole = true
        let end = direction == .toAgent ? controller : agent
        guard let loop = end.eventLoop as? SimulatedLoop else { return }
        loop.arrive(at: scheduler.now + network.latency()) { end.receiveEnd() }
    }

    func vanish() { (isOver, isBlackHole) = (true, true) }

    func stall(_ direction: Direction, until time: Moment) { stalled[direction] = time }
}
