import Logging
import Model
import Store
import Synchronization
import WireProtocol

/// Takes what one session's agent measured to the store, and acknowledges it only after the commit.
///
/// At most one batch of a session is in the store's hands; meanwhile the next gathers. When that grows past its bound
/// the session stops reading until the store has caught up: nobody's memory grows.
final class Ingest: Sendable {
    /// Values that may wait before the session stops reading.
    static let maximumPendingValues = 100_000

    fileprivate struct State {
        var intake: Intake
        var inventories: [Inventory] = []
        var values = 0
        var isCommitting = false
        var isPaused = false
    }

    private let state: Mutex<State>
    private let session: AgentSession
    private let store: Store
    private let logger: Logger

    init(session: AgentSession, store: Store, logger: Logger) {
        self.session = session
        self.store = store
        self.logger = logger
        state = Mutex(State(intake: Intake(node: session.node)))
    }

    /// Takes one message that must become durable. True when it is such a message.
    func take(_ message: AgentMessage) -> Bool {
        let (isTaken, start, pause) = state.withLock { state in
            guard state.add(message) else { return (false, false, false) }
            let pause = state.values > Self.maximumPendingValues && !state.isPaused
            if pause { state.isPaused = true }
            defer { state.isCommitting = true }
            return (true, !state.isCommitting, pause)
        }
        if pause { session.setReading(false) }
        if start { Task { await commit() } }
        return isTaken
    }

    /// Commits until nothing waits.
    private func commit() async {
        while let (intake, inventories) = next() {
            do throws(StoreError) {
                for inventory in inventories {
                    try await store.recordInventory(inventory.report(of: session.node), at: .now())
                }
                let positions = try await store.take(intake)
                session.send(
                    .ack(Acknowledgement(metrics: positions.metrics, usage: positions.usage, events: positions.events)))
            } catch {
                // Not acknowledged: the agent keeps it and sends it again with its next session.
                logger.error(
                    "what a node sent could not be stored", metadata: ["node": "\(session.node)", "error": "\(error)"])
                session.close(error.isRetryable ? .overload : .malformed, "\(error)", retry: true)
            }
        }
    }

    private func next() -> (Intake, [Inventory])? {
        let (batch, resume) = state.withLock { state in
            let isEmpty = state.intake.isEmpty && state.inventories.isEmpty
            let batch = isEmpty ? nil : (state.intake, state.inventories)
            state.intake = Intake(node: session.node)
            state.inventories = []
            state.values = 0
            if isEmpty { state.isCommitting = false }
            defer { state.isPaused = false }
            return (batch, state.isPaused)
        }
        if resume { session.setReading(true) }
        return batch
    }
}

extension Ingest.State {
    fileprivate mutating func add(_ message: AgentMessage) -> Bool {
        switch message {
        case .series(let series): intake.series.append(SeriesSet(set: series.set, names: series.names))
        case .metrics(let metrics):
            values += metrics.values.count
            intake.samples.append(
                SampleRow(
                    seq: metrics.seq, time: Timestamp(milliseconds: metrics.time), set: metrics.set,
                    values: metrics.values))
        case .usage(let usage):
            values += usage.counters.count
            intake.usage.append(usage.report)
        case .event(let event):
            values += 1
            intake.events.append(
                NodeEventReport(
                    seq: event.seq, time: Timestamp(milliseconds: event.time), driver: event.driver,
                    resource: event.resource, kind: event.kind, data: event.data))
        case .gap(let gap):
            guard let report = gap.report else { return true }
            intake.gaps.append(report)
        case .inventory(let inventory):
            values += inventory.items.count
            inventories.append(inventory)
        default: return false
        }
        return true
    }
}

extension Intake {
    fileprivate var isEmpty: Bool {
        series.isEmpty && samples.isEmpty && usage.isEmpty && events.isEmpty && gaps.isEmpty
    }
}

extension Usage {
    fileprivate var report: UsageReport {
        UsageReport(
            seq: seq, time: Timestamp(milliseconds: time),
            counters: counters.map {
                UsageReport.Counter(subject: $0.subject, meter: $0.meter, epoch: $0.epoch, value: $0.value)
            })
    }
}

extension Gap {
    /// Nil for a stream of a later version.
    fileprivate var report: GapReport? {
        let stream: IntakeStream? =
            switch kind {
            case .metrics: .metrics
            case .events: .events
            case .unknown: nil
            }
        return stream.map {
            GapReport(
                stream: $0, seqs: fromSeq...toSeq, from: Timestamp(milliseconds: from), to: Timestamp(milliseconds: to),
                reason: reason)
        }
    }
}

extension Inventory {
    fileprivate func report(of node: String) -> InventoryReport {
        InventoryReport(
            node: node, driver: driver, generation: generation, isFull: full,
            items: items.map { ($0.resource, $0.state) }, removed: removed)
    }
}
