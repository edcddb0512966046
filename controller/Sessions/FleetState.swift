import AgentCommands
import WireProtocol

/// The fleet's state and its rules; no I/O of its own, so that each rule is one function under one lock.
struct FleetState {
    private var sessions: [String: AgentSession] = [:]
    private var commands: [String: OutstandingCommand] = [:]
    /// The command ids of each node in the order in which they were given.
    private var queue: [String: [String]] = [:]
    /// Since when a node with waiting commands is away.
    private var awaySince: [String: ContinuousClock.Instant] = [:]
    private var isShutDown = false

    // MARK: Commands

    var outstanding: Int { commands.count }

    mutating func add(_ command: OutstandingCommand) throws(AgentError) {
        guard !isShutDown else { throw .abandoned(command: command.id) }
        guard commands[command.id] == nil else { throw .inFlight(command: command.id) }
        guard queue[command.node, default: []].count < Fleet.maximumCommandsPerNode else {
            throw .overload(node: command.node)
        }
        commands[command.id] = command
        queue[command.node, default: []].append(command.id)
        if sessions[command.node] == nil, awaySince[command.node] == nil { awaySince[command.node] = .now }
    }

    mutating func remove(_ id: String) {
        guard let command = commands.removeValue(forKey: id) else { return }
        queue[command.node]?.removeAll { $0 == id }
        if queue[command.node]?.isEmpty == true {
            queue[command.node] = nil
            awaySince[command.node] = nil
        }
    }

    /// The command is recorded: the session to send it on, if its node is live.
    mutating func dispatch(_ id: String, journal: String?) -> (AgentSession, Command)? {
        guard waits(id), let message = commands[id]?.record(journal: journal) else { return nil }
        return commands[id].flatMap { sessions[$0.node] }.map { ($0, message) }
    }

    /// The command is on its way. Returns what was said to it meanwhile.
    mutating func sent(
        _ id: String, on session: AgentSession, now: ContinuousClock.Instant
    ) -> [ControllerMessage] {
        guard waits(id), sessions[session.node] === session else { return [] }
        return commands[id]?.sent(at: now) ?? []
    }

    func ending(of id: String) -> Result<CommandResult, AgentError>? { commands[id]?.ending }

    mutating func cancel(_ id: String, reason: String) -> AgentSession? {
        commands[id]?.callOff(reason)
        return route(id)
    }

    mutating func grant(_ bytes: Int64, to id: String) -> AgentSession? {
        guard waits(id) else { return nil }
        commands[id]?.grant(bytes)
        return route(id)
    }

    /// Bytes for a command, and the session and lines that carry them now; a node that is away gets them later.
    mutating func take(
        _ data: [UInt8], at offset: Int64, end: Bool, for id: String
    ) -> (answer: CommandInputAnswer, session: AgentSession?, lines: [ControllerMessage]) {
        guard waits(id), let (answer, lines) = commands[id]?.take(data, at: offset, end: end) else {
            return (.unknown, nil, [])
        }
        return (answer, route(id), lines)
    }

    /// The session and the line that tell a command the size of its terminal; nil where no such command runs.
    mutating func resize(
        _ id: String, rows: Int64, columns: Int64
    ) -> (session: AgentSession?, line: ControllerMessage)? {
        guard waits(id), let line = commands[id]?.resize(rows: rows, columns: columns) else { return nil }
        return (route(id), line)
    }

    mutating func consumed(_ consumed: Consumed, from session: AgentSession) {
        guard commands[consumed.id]?.node == session.node else { return }
        commands[consumed.id]?.consumed(consumed.bytes)
    }

    /// False when the peer broke the flow control.
    mutating func hear(_ event: CommandEvent, of id: String, from session: AgentSession) -> Bool {
        guard waits(id), commands[id]?.node == session.node else { return true }
        return commands[id]?.hear(event) ?? true
    }

    mutating func end(_ id: String, with ending: Result<CommandResult, AgentError>) {
        commands[id]?.end(with: ending)
    }

    mutating func fail(node: String, with error: AgentError) {
        for id in queue[node] ?? [] { end(id, with: .failure(error)) }
    }

    mutating func abandonAll() {
        isShutDown = true
        for id in Array(commands.keys) { end(id, with: .failure(.abandoned(command: id))) }
    }

    mutating func expire(now: ContinuousClock.Instant) {
        for (id, command) in commands where command.ending == nil {
            if let since = awaySince[command.node], now - since > command.command.patience {
                end(id, with: .failure(.unreachable(node: command.node)))
            } else if command.isOverdue(at: now) {
                end(id, with: .failure(.noAnswer(node: command.node, command: id)))
            }
        }
    }

    /// Whether there is one that has not ended.
    private func waits(_ id: String) -> Bool { commands[id].map { $0.ending == nil } ?? false }

    /// The session that a command was sent on, as long as it is live.
    private func route(_ id: String) -> AgentSession? { commands[id].flatMap { $0.isSent ? sessions[$0.node] : nil } }

    // MARK: Sessions

    var liveSessions: [AgentSession] { Array(sessions.values) }

    func session(of node: String) -> AgentSession? { sessions[node] }

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

    /// What a fresh session has to be sent: every recorded command of the node, and what goes with them.
    mutating func backlog(for session: AgentSession, now: ContinuousClock.Instant) -> [ControllerMessage] {
        var messages: [ControllerMessage] = []
        for id in queue[session.node] ?? [] where waits(id) && commands[id]?.isRecorded == true {
            messages += commands[id]?.resent(at: now) ?? []
        }
        return messages
    }

    mutating func drop(_ session: AgentSession, now: ContinuousClock.Instant) -> Bool {
        guard sessions[session.node] === session else { return false }
        sessions[session.node] = nil
        for id in queue[session.node] ?? [] { commands[id]?.unsent() }
        if queue[session.node] != nil { awaySince[session.node] = now }
        return true
    }
}
