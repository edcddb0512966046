import AgentCommands
import Model
import WireProtocol

/// What a command tells before it ends.
enum CommandEvent: Sendable {
    case accepted
    case progress(CommandProgress)
    case output(Output)
}

/// One command that waits for its result, and what is known of its way.
struct OutstandingCommand {
    /// Events that wait for a slow observer; output is bounded by credit as well.
    static let maximumQueuedEvents = 8192

    let command: AgentCommand
    let node: String
    /// True once the ledger has it: only then may a reconnect send it.
    private(set) var isRecorded = false
    private(set) var ending: Result<CommandResult, AgentError>?
    private let events: AsyncStream<CommandEvent>.Continuation
    /// When it was sent on the session that is live now; nil while the node is away or the ledger is being asked.
    private var sentAt: ContinuousClock.Instant?
    private var journal: String?
    private var credit = Fleet.initialWindow
    private var input = CommandInput()
    private var cancelReason: String?

    init(_ command: AgentCommand, on node: String, events: AsyncStream<CommandEvent>.Continuation) {
        (self.command, self.node, self.events) = (command, node, events)
    }

    var id: String { command.id }
    var isSent: Bool { sentAt != nil }

    // MARK: on its way

    /// The ledger has it: as it goes out.
    mutating func record(journal: String?) -> Command {
        (isRecorded, self.journal) = (true, journal)
        return message
    }

    /// It was sent. What has to follow: input that came meanwhile, and a cancel, which must not arrive before its command, for
    /// the agent would not know what to stop.
    mutating func sent(at now: ContinuousClock.Instant) -> [ControllerMessage] {
        sentAt = now
        let cancel = cancelReason.map { ControllerMessage.cancel(Cancel(id: id, reason: $0)) }
        return input.again(to: id) + [cancel].compactMap { $0 }
    }

    /// All that another session has to be sent.
    mutating func resent(at now: ContinuousClock.Instant) -> [ControllerMessage] {
        credit = Fleet.initialWindow
        return [.command(message)] + sent(at: now)
    }

    /// Its session has ended.
    mutating func unsent() { sentAt = nil }

    /// It is sent, and the agent has had its time and some more to stop a child.
    func isOverdue(at now: ContinuousClock.Instant) -> Bool {
        sentAt.map { now - $0 > command.deadline + Fleet.stopAllowance } ?? false
    }

    private var message: Command {
        Command(
            id: id, resource: command.resource, generation: command.generation, driver: command.driver,
            operation: command.action, arguments: command.arguments,
            secrets: command.secrets.isEmpty ? nil : command.secrets,
            deadlineMs: command.deadline.wholeMilliseconds, window: Fleet.initialWindow,
            trace: command.trace, journal: journal, by: command.by)
    }

    // MARK: what is said to it, and what it says

    mutating func callOff(_ reason: String) { cancelReason = reason }

    mutating func grant(_ bytes: Int64) { credit += bytes }

    /// Bytes for it, and the lines that carry what is new of them once it is sent.
    mutating func take(
        _ data: [UInt8], at offset: Int64, end: Bool
    ) -> (answer: CommandInputAnswer, lines: [ControllerMessage]) {
        let (answer, fresh) = input.take(data, at: offset, end: end)
        guard case .taken = answer, !fresh.isEmpty || end, isSent else { return (answer, []) }
        return (answer, input.lines(fresh, to: id))
    }

    /// The line that tells the size of its terminal.
    mutating func resize(rows: Int64, columns: Int64) -> ControllerMessage {
        input.resize(rows: rows, columns: columns, of: id)
    }

    mutating func consumed(_ bytes: Int64) { input.consumed(bytes) }

    /// False when the peer sent more than its credit, or more events than anybody can take.
    mutating func hear(_ event: CommandEvent) -> Bool {
        if case .output(let output) = event {
            guard credit >= Int64(output.data.count) else { return false }
            credit -= Int64(output.data.count)
        }
        if case .dropped(.output) = events.yield(event) { return false }
        return true
    }

    /// The first ending counts.
    mutating func end(with ending: Result<CommandResult, AgentError>) {
        guard self.ending == nil else { return }
        self.ending = ending
        events.finish()
    }
}
