package import Logging
import Model
import Synchronization
package import WireProtocol

/// Takes what agents measured to the store in group commits, and acknowledges it only after the commit.
///
/// While one commit runs the next batch gathers, so the busier the fleet the larger the batches. When too much waits,
/// the sessions stop reading until the store has caught up: nobody's memory grows.
package final class Ingest: Sendable {
    /// One line of one node that must become durable before it is acknowledged.
    package struct Entry: Sendable {
        package enum Content: Sendable {
            case series(SeriesDefinition)
            case metrics(Metrics)
            case usage(Usage)
            case event(NodeEvent)
            case gap(Gap)
            case inventory(Inventory)
        }

        package var node: String
        package var content: Content
    }

    /// The part of the store that ingestion needs.
    package struct Sink: Sendable {
        /// Stores the entries and the positions reached, in one transaction.
        package var store: @Sendable ([Entry], [String: StreamPositions]) async throws -> Void
        /// What is stored of a node's journal; a journal of another name starts at nothing.
        package var positions: @Sendable (_ node: String, _ epoch: String) async throws -> StreamPositions

        package init(
            store: @escaping @Sendable ([Entry], [String: StreamPositions]) async throws -> Void,
            positions: @escaping @Sendable (String, String) async throws -> StreamPositions
        ) {
            self.store = store
            self.positions = positions
        }
    }

    /// Values (not lines) that may wait before sessions stop reading.
    static let maximumPendingValues = 2_000_000
    /// Commits are spread at least this far apart: a commit costs the same for one line as for a thousand.
    static let spacing: Duration = .milliseconds(50)

    private struct State {
        var entries: [Entry] = []
        var values = 0
        var positions: [String: StreamTrackers] = [:]
        /// Whom to acknowledge after the next commit.
        var sessions: [String: AgentSession] = [:]
        var paused: [AgentSession] = []
    }

    private let state = Mutex(State())
    private let sink: Sink
    private let logger: Logger
    private let wake: AsyncStream<Void>
    private let waker: AsyncStream<Void>.Continuation
    private let stored = Atomic<Int64>(0)

    package init(sink: Sink, logger: Logger) {
        self.sink = sink
        self.logger = logger
        (wake, waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Values written to the store since the start.
    package var valuesStored: Int64 { stored.load(ordering: .relaxed) }

    /// A session begins. Returns what is stored of this node's journal, for the welcome.
    func open(node: String, epoch: String) async throws -> Positions {
        let stored = try await sink.positions(node, epoch)
        return state.withLock { state in
            if state.positions[node]?.epoch != epoch { state.positions[node] = StreamTrackers(stored) }
            return stored.wire
        }
    }

    /// Takes one message. Duplicates are dropped here, by their sequence numbers.
    func take(_ content: Entry.Content, from session: AgentSession) {
        let pause = state.withLock { state in
            state.sessions[session.node] = session
            guard state.positions[session.node]?.take(content) ?? true else { return false }
            state.entries.append(Entry(node: session.node, content: content))
            state.values += content.weight
            guard state.values > Self.maximumPendingValues else { return false }
            state.paused.append(session)
            return true
        }
        if pause { session.setReading(false) }
        waker.yield()
    }

    /// Commits until cancelled; what waits then is committed last.
    package func run() async {
        for await _ in wake {
            await commit()
            try? await Task.sleep(for: Self.spacing)
        }
        await commit()
    }

    /// Commits what waits. A failed commit keeps the entries and tries again: they are not acknowledged, so the
    /// agents hold them too.
    func commit() async {
        let (entries, positions, sessions) = state.withLock { state in
            let taken = (state.entries, state.positions, state.sessions)
            state.entries = []
            state.sessions = [:]
            return taken
        }
        guard !sessions.isEmpty else { return }
        let reached = Dictionary(
            uniqueKeysWithValues: sessions.keys.compactMap { node in positions[node].map { (node, $0.reached) } })
        do {
            if !entries.isEmpty { try await sink.store(entries, reached) }
        } catch {
            logger.error(
                "metrics, usage and events could not be stored; they will be tried again",
                metadata: ["error": "\(error)"])
            putBack(entries, sessions)
            try? await Task.sleep(for: .seconds(1))
            waker.yield()
            return
        }
        finish(entries, sessions, reached)
    }

    private func putBack(_ entries: [Entry], _ sessions: [String: AgentSession]) {
        state.withLock { state in
            state.entries = entries + state.entries
            state.sessions.merge(sessions) { _, newer in newer }
        }
    }

    private func finish(_ entries: [Entry], _ sessions: [String: AgentSession], _ reached: [String: StreamPositions]) {
        let weight = entries.reduce(0) { $0 + $1.content.weight }
        stored.add(Int64(weight), ordering: .relaxed)
        let paused = state.withLock { state in
            state.values -= weight
            guard state.values < Self.maximumPendingValues / 2 else { return [AgentSession]() }
            defer { state.paused = [] }
            return state.paused
        }
        for session in paused { session.setReading(true) }
        for (node, session) in sessions {
            guard let positions = reached[node] else { continue }
            session.send(.ack(positions.acknowledgement))
        }
    }
}

extension Ingest.Entry.Content {
    /// What an entry counts against the bound on waiting values.
    var weight: Int {
        switch self {
        case .metrics(let metrics): metrics.values.count
        case .usage(let usage): usage.counters.count
        case .series(let series): series.names.count
        case .inventory(let inventory): inventory.items.count + inventory.removed.count
        case .event, .gap: 1
        }
    }
}
