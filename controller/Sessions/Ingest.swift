import Logging
import Model
import Store
import Synchronization
import WireProtocol

/// Takes what one session's agent measured to the store, and acknowledges it only after the commit.
///
/// At most one batch of a session is in the store's hands; meanwhile the next gathers. Both are owed by the session,
/// which stops reading when they grow past its bound: nobody's memory grows.
final class Ingest: Sendable {
    fileprivate struct State {
        var intake: Intake
        var inventories: [Inventory] = []
        /// The newest word on the drivers.
        var drivers: DriversReport?
        /// Length of the lines that are gathered here.
        var bytes = 0
        var isCommitting = false
    }

    private let state: Mutex<State>
    private let session: AgentSession
    private let journal: String
    private let store: Store
    private let logger: Logger

    init(session: AgentSession, journal: String, store: Store, logger: Logger) {
        self.session = session
        self.journal = journal
        self.store = store
        self.logger = logger
        state = Mutex(State(intake: Intake(node: session.node, journal: journal)))
    }

    /// Takes one message that must become durable; all others are passed over.
    /// - Parameter bytes: the length of its line.
    func take(_ message: AgentMessage, bytes: Int) {
        let start: Bool? = state.withLock { state in
            guard state.add(message) else { return nil }
            state.bytes += bytes
            defer { state.isCommitting = true }
            return !state.isCommitting
        }
        guard let start else { return }
        session.owe(bytes)
        if start { Task { await commit() } }
    }

    /// Commits until nothing waits.
    private func commit() async {
        while let (intake, inventories, drivers, bytes) = next() {
            defer { session.settle(bytes) }
            do throws(StoreError) {
                if let drivers { try await admit(drivers) }
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

    private func admit(_ drivers: DriversReport) async throws(StoreError) {
        let doubts = try await store.admit(drivers.record(of: session.node), at: .now())
        for doubt in doubts.prefix(4) {
            logger.warning("a claim is not believed", metadata: ["node": "\(session.node)", "claim": "\(doubt)"])
        }
    }

    private func next() -> (Intake, [Inventory], DriversReport?, bytes: Int)? {
        state.withLock { state in
            guard !state.intake.isEmpty || !state.inventories.isEmpty || state.drivers != nil else {
                // What made nothing to store is owed no longer.
                session.settle(state.bytes)
                (state.bytes, state.isCommitting) = (0, false)
                return nil
            }
            var batch = (state.intake, state.inventories, state.drivers, bytes: state.bytes)
            batch.0.receivedAt = .now()
            (state.intake, state.inventories, state.bytes) = (Intake(node: session.node, journal: journal), [], 0)
            state.drivers = nil
            return batch
        }
    }
}

extension Ingest.State {
    fileprivate mutating func add(_ message: AgentMessage) -> Bool {
        switch message {
        case .series(let series): intake.series.append(SeriesSet(set: series.set, names: series.names))
        case .metrics(let metrics):
            intake.samples.append(
                SampleRow(
                    seq: metrics.seq, time: Timestamp(milliseconds: metrics.time), set: metrics.set,
                    values: metrics.values))
        case .usage(let usage): intake.usage.append(usage.report)
        case .event(let event):
            intake.events.append(
                NodeEventReport(
                    seq: event.seq, time: Timestamp(milliseconds: event.time), driver: event.driver,
                    resource: event.resource, kind: event.kind, data: event.data))
        case .gap(let gap):
            guard let report = gap.report else { return true }
            intake.gaps.append(report)
        case .drivers(let report): drivers = report
        case .inventory(let inventory): inventories.append(inventory)
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
