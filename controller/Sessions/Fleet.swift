package import AgentCommands
import Logging
import Model
import Synchronization
package import WireProtocol

/// The live sessions and the commands that wait for them.
///
/// A command stays outstanding across disconnects: it is sent again, with the same id, whenever its node comes back,
/// until the agent's result arrives or patience ends. Results reach the caller only after they are recorded.
package final class Fleet: Sendable {
    /// The part of the store that a command needs.
    package struct Ledger: Sendable {
        /// Records the command (without secrets) before it is sent, once per id.
        package var open: @Sendable (AgentCommand, String) async throws(AgentError) -> Opening

        package init(open: @escaping @Sendable (AgentCommand, String) async throws(AgentError) -> Opening) {
            self.open = open
        }
    }

    /// What the ledger knows of a command.
    package struct Opening: Sendable {
        /// The recorded result; the command is then not sent.
        package var result: CommandResult?
        /// The agent's journal at the time of the first record. An agent with another one cannot know whether it has
        /// run the command, and refuses it.
        package var journal: String?

        package init(result: CommandResult? = nil, journal: String? = nil) {
            self.result = result
            self.journal = journal
        }
    }

    package enum Admission: Sendable {
        /// The session is live; `replaced` is the stale connection of the same agent, to be closed.
        case admitted(replaced: AgentSession?)
        /// Another machine or process is connected with this identity and is alive.
        case duplicate(of: AgentSession)
    }

    /// How long beyond its deadline a command may take while the agent stops a child that ignores TERM.
    static let stopAllowance: Duration = .seconds(30)
    static let maximumCommandsPerNode = 512
    /// The credit that a command starts with, in bytes of output.
    package static let initialWindow: Int64 = 256 << 10

    private let state: Mutex<FleetState>
    private let ledger: Ledger

    package init(ledger: Ledger) {
        self.ledger = ledger
        state = Mutex(FleetState())
    }

    // MARK: Commands

    /// Sends a command and waits for its result.
    ///
    /// Cancelling the task only ends the waiting; `cancel` asks the agent to stop the work.
    package func perform(
        _ command: AgentCommand, on node: String
    ) async throws(AgentError) -> CommandResult {
        // Registered before the ledger is asked, so that a result that arrives in between is not missed.
        let (events, continuation) = AsyncStream.makeStream(
            of: CommandEvent.self, bufferingPolicy: .bufferingOldest(OutstandingCommand.maximumQueuedEvents))
        let outstanding = OutstandingCommand(command, on: node, events: continuation)
        try state.withLock { state throws(AgentError) in try state.add(outstanding) }
        defer { state.withLock { $0.remove(command.id) } }
        let opening = try await ledger.open(command, node)
        if let known = opening.result { return known }
        if let (session, message) = state.withLock({ $0.dispatch(command.id, journal: opening.journal) }) {
            session.send(.command(message))
            // Under the lock, so that input which comes at this moment goes behind what came before.
            state.withLock { for message in $0.sent(command.id, on: session, now: .now) { session.send(message) } }
        }
        let observer = command.observer
        for await event in events {
            switch event {
            case .accepted: await observer.accepted()
            case .progress(let progress): await observer.progress(progress)
            case .output(let output):
                await observer.output(output)
                if !observer.grantsCredit { grant(output.data.count, to: command.id) }
            }
        }
        guard let ending = state.withLock({ $0.ending(of: command.id) }) else {
            throw .abandoned(command: command.id)
        }
        return try ending.get()
    }

    /// Asks the agent to stop the work of a command; its result then says `cancelled`, or what it had become.
    package func cancel(_ command: String, reason: String) {
        if let session = state.withLock({ $0.cancel(command, reason: reason) }) {
            session.send(.cancel(Cancel(id: command, reason: reason)))
        }
    }

    /// Passes input to a command.
    /// - Parameter offset: bytes of the input before these; what was taken already is passed over.
    package func input(_ data: [UInt8], at offset: Int64, end: Bool, to command: String) -> CommandInputAnswer {
        state.withLock { state in
            let (answer, session, lines) = state.take(data, at: offset, end: end, for: command)
            for line in lines { session?.send(line) }
            return answer
        }
    }

    /// Tells a command the size that its terminal has from now on. False where no such command runs.
    package func resize(_ command: String, rows: Int64, columns: Int64) -> Bool {
        state.withLock { state in
            guard let (session, line) = state.resize(command, rows: rows, columns: columns) else { return false }
            session?.send(line)
            return true
        }
    }

    /// Lets a command say so many bytes more.
    package func grant(_ bytes: Int, to command: String) {
        if let session = state.withLock({ $0.grant(Int64(bytes), to: command) }) {
            session.send(.window(Window(id: command, credit: Int64(bytes))))
        }
    }

    // MARK: Sessions

    /// Decides whether a peer that proved its identity becomes the node's session.
    func admit(_ session: AgentSession) -> Admission {
        state.withLock { $0.admit(session, now: .now) }
    }

    /// Sends every command that waits for the node, in the order in which they were given.
    func resume(_ session: AgentSession) {
        for message in state.withLock({ $0.backlog(for: session, now: .now) }) { session.send(message) }
    }

    /// The connection ended. True when it was the node's live session.
    @discardableResult
    func closed(_ session: AgentSession) -> Bool {
        state.withLock { $0.drop(session, now: .now) }
    }

    /// Cuts a node's live session, on revocation or because an operator asks for it.
    package func disconnect(_ node: String, code: GoodbyeCode, message: String) {
        let session = state.withLock { state in
            let session = state.session(of: node)
            if code == .revoked { state.fail(node: node, with: .revoked(node: node)) }
            return session
        }
        session?.close(code, message, retry: code != .revoked)
    }

    package func session(of node: String) -> AgentSession? {
        state.withLock { $0.session(of: node) }
    }

    package var liveSessions: [AgentSession] {
        state.withLock { $0.liveSessions }
    }

    /// How many commands wait for a result.
    package var outstandingCommands: Int { state.withLock { $0.outstanding } }

    /// Ends all waiting; the agents go on and answer after the next start.
    package func shutDown() {
        let sessions = state.withLock { state in
            state.abandonAll()
            return state.liveSessions
        }
        for session in sessions { session.close(.shutdown, "the controller is stopping", retry: true) }
    }

    // MARK: What agents say of commands

    /// False when the agent broke the flow control and must be cut.
    func received(_ message: AgentMessage, from session: AgentSession) -> Bool {
        state.withLock { state in
            switch message {
            case .accepted(let accepted): return state.hear(.accepted, of: accepted.id, from: session)
            case .progress(let progress):
                return state.hear(.progress(progress.shortened), of: progress.id, from: session)
            case .output(let output): return state.hear(.output(output), of: output.id, from: session)
            case .consumed(let consumed):
                state.consumed(consumed, from: session)
                return true
            default: return true
            }
        }
    }

    /// Hands a recorded result to whoever waits for it.
    func resolve(_ result: CommandResult) {
        state.withLock { $0.end(result.id, with: .success(result)) }
    }

    /// Ends commands whose patience or deadline is over. Called about once a second.
    func tick(now: ContinuousClock.Instant = .now) {
        state.withLock { $0.expire(now: now) }
    }
}

extension CommandProgress {
    /// A sentence for an operation's log; thousands of longer ones could wait for a slow reader.
    fileprivate var shortened: CommandProgress {
        let limit = 1024
        guard message.utf8.count > limit else { return self }
        var short = self
        short.message = String(decoding: message.utf8.prefix(limit), as: UTF8.self)
        return short
    }
}
