import Model
import WireProtocol

/// What happens to an order before it ends.
enum OrderEvent: Sendable {
    case accepted
    case progress(CommandProgress)
    case output(Output)
}

/// One order that waits for its result.
struct OutstandingCommand {
    /// Events that wait for a slow observer; output is bounded by credit as well.
    static let maximumQueuedEvents = 8192

    let order: AgentOrder
    let node: String
    let events: AsyncStream<OrderEvent>.Continuation
    /// When it was sent on the session that is live now; nil while the node is away or the ledger is being asked.
    var sentAt: ContinuousClock.Instant?
    /// True once the ledger has it: only then may a reconnect send it.
    var isRecorded = false
    var journal: String?
    var credit = Fleet.initialWindow
    var input = CommandInput()
    var cancelReason: String?
    var ending: Result<CommandResult, FleetError>?

    init(order: AgentOrder, node: String, events: AsyncStream<OrderEvent>.Continuation) {
        self.order = order
        self.node = node
        self.events = events
    }

    var message: Command {
        Command(
            id: order.id, resource: order.resource, generation: order.generation, driver: order.driver,
            operation: order.operation, arguments: order.arguments,
            secrets: order.secrets.isEmpty ? nil : order.secrets,
            deadlineMs: order.deadline.wholeMilliseconds, window: Fleet.initialWindow,
            trace: order.trace, journal: journal, by: order.by)
    }
}

/// The fleet's state and its rules; no I/O of its own, so that each rule is one function under one lock.
struct FleetState {
    private(set) var sessions: [String: AgentSession] = [:]
    private(set) var orders: [String: OutstandingCommand] = [:]
    /// The order ids of each node in the order in which they were given.
    private var queue: [String: [String]] = [:]
    /// Since when a node with waiting orders is away.
    private var awaySince: [String: ContinuousClock.Instant] = [:]
    private var isShutDown = false

    // MARK: Orders

    mutating func add(_ order: OutstandingCommand) throws(FleetError) {
        let id = order.order.id
        guard !isShutDown else { throw .abandoned(command: id) }
        guard orders[id] == nil else { throw .inFlight(command: id) }
        guard queue[order.node, default: []].count < Fleet.maximumOrdersPerNode else {
            throw .overload(node: order.node)
        }
        orders[id] = order
        queue[order.node, default: []].append(id)
        if sessions[order.node] == nil, awaySince[order.node] == nil { awaySince[order.node] = .now }
    }

    mutating func remove(_ id: String) {
        guard let order = orders.removeValue(forKey: id) else { return }
        queue[order.node]?.removeAll { $0 == id }
        if queue[order.node]?.isEmpty == true {
            queue[order.node] = nil
            awaySince[order.node] = nil
        }
    }

    /// The order is recorded: the session to send it on, if its node is live.
    mutating func dispatch(_ id: String, journal: String?) -> (AgentSession, Command)? {
        guard var order = orders[id], order.ending == nil else { return nil }
        order.isRecorded = true
        order.journal = journal
        orders[id] = order
        return sessions[order.node].map { ($0, order.message) }
    }

    /// The order is on its way. Returns why it was called off meanwhile: a cancel must not arrive before its command,
    /// for the agent would not know what to stop.
    mutating func sent(
        _ id: String, on session: AgentSession, now: ContinuousClock.Instant
    ) -> [ControllerMessage] {
        guard let order = orders[id], order.ending == nil, sessions[order.node] === session else { return [] }
        orders[id]?.sentAt = now
        let cancel = order.cancelReason.map { ControllerMessage.cancel(Cancel(id: id, reason: $0)) }
        return order.input.again(to: id) + [cancel].compactMap { $0 }
    }

    func ending(of id: String) -> Result<CommandResult, FleetError>? { orders[id]?.ending }

    func session(ofOrder id: String) -> AgentSession? { orders[id].flatMap { sessions[$0.node] } }

    mutating func cancel(_ id: String, reason: String) -> AgentSession? {
        guard let order = orders[id] else { return nil }
        orders[id]?.cancelReason = reason
        return order.sentAt == nil ? nil : sessions[order.node]
    }

    mutating func grant(_ bytes: Int64, to id: String) -> AgentSession? {
        guard let order = orders[id], order.ending == nil else { return nil }
        orders[id]?.credit += bytes
        return order.sentAt == nil ? nil : sessions[order.node]
    }

    /// Bytes for a command, and the session and lines that carry them now; a node that is away gets them later.
    mutating func take(
        _ data: [UInt8], at offset: Int64, end: Bool, for id: String
    ) -> (answer: InputAnswer, session: AgentSession?, lines: [ControllerMessage]) {
        guard let order = orders[id], order.ending == nil else { return (.unknown, nil, []) }
        var input = order.input
        let (answer, fresh) = input.take(data, at: offset, end: end)
        orders[id]?.input = input
        guard case .taken = answer, !fresh.isEmpty || end, order.sentAt != nil else { return (answer, nil, []) }
        return (answer, sessions[order.node], input.lines(fresh, to: id))
    }

    /// The session and the line that tell a command the size of its terminal; nil where no such command runs.
    mutating func resize(
        _ id: String, rows: Int64, columns: Int64
    ) -> (session: AgentSession?, line: ControllerMessage)? {
        guard let order = orders[id], order.ending == nil else { return nil }
        var input = order.input
        let line = input.resize(rows: rows, columns: columns, of: id)
        orders[id]?.input = input
        return (order.sentAt == nil ? nil : sessions[order.node], line)
    }

    mutating func consumed(_ consumed: Consumed, from session: AgentSession) {
        guard orders[consumed.id]?.node == session.node else { return }
        orders[consumed.id]?.input.consumed(consumed.bytes)
    }

    /// False when the peer sent more than its credit, or more events than anybody can take.
    mutating func yield(_ event: OrderEvent, to id: String, from session: AgentSession) -> Bool {
        guard let order = orders[id], order.node == session.node, order.ending == nil else { return true }
        if case .output(let output) = event {
            orders[id]?.credit -= Int64(output.data.count)
            guard order.credit >= Int64(output.data.count) else { return false }
        }
        if case .dropped(.output) = order.events.yield(event) { return false }
        return true
    }

    mutating func end(_ id: String, with ending: Result<CommandResult, FleetError>) {
        guard let order = orders[id], order.ending == nil else { return }
        orders[id]?.ending = ending
        order.events.finish()
    }

    mutating func fail(node: String, with error: FleetError) {
        for id in queue[node] ?? [] { end(id, with: .failure(error)) }
    }

    mutating func abandonAll() {
        isShutDown = true
        for id in Array(orders.keys) { end(id, with: .failure(.abandoned(command: id))) }
    }

    mutating func expire(now: ContinuousClock.Instant) {
        for (id, order) in orders where order.ending == nil {
            if let since = awaySince[order.node], now - since > order.order.patience {
                end(id, with: .failure(.unreachable(node: order.node)))
            } else if let sent = order.sentAt, now - sent > order.order.deadline + Fleet.stopAllowance {
                end(id, with: .failure(.noAnswer(node: order.node, command: id)))
            }
        }
    }

    // MARK: Sessions

    /// A second session of a node is the same agent come back, if boot and process are the same, or a stale one that
    /// fell silent; else it is a clone while the first is alive.
    mutating func admit(_ session: AgentSession, now: ContinuousClock.Instant) -> Fleet.Admission {
        let old = sessions[session.node]
        if let old, !isSameAgent(old, session), now - old.lastHeard < Liveness.silence { return .duplicate(of: old) }
        sessions[session.node] = session
        awaySince[session.node] = nil
        return .admitted(replaced: old)
    }

    private func isSameAgent(_ one: AgentSession, _ other: AgentSession) -> Bool {
        one.identity.boot == other.identity.boot && one.identity.started == other.identity.started
    }

    /// What a fresh session has to be sent: every recorded order of the node, and the cancels that go with them.
    mutating func waiting(for session: AgentSession, now: ContinuousClock.Instant) -> [ControllerMessage] {
        var messages: [ControllerMessage] = []
        for id in queue[session.node] ?? [] {
            guard let order = orders[id], order.isRecorded, order.ending == nil else { continue }
            orders[id]?.sentAt = now
            orders[id]?.credit = Fleet.initialWindow
            messages.append(.command(order.message))
            messages += order.input.again(to: id)
            if let reason = order.cancelReason { messages.append(.cancel(Cancel(id: id, reason: reason))) }
        }
        return messages
    }

    mutating func drop(_ session: AgentSession, now: ContinuousClock.Instant) -> Bool {
        guard sessions[session.node] === session else { return false }
        sessions[session.node] = nil
        for id in queue[session.node] ?? [] { orders[id]?.sentAt = nil }
        if queue[session.node] != nil { awaySince[session.node] = now }
        return true
    }
}
