import APIModels
import Model
import Store

/// The life of one operation: `event: operation` with all its steps when its state changes, `event: step` when a step
/// does, `event: log` for each line of its log. The place is in the journal and the log themselves, so a reader can come back to another
/// run of the controller and miss nothing.
struct OperationEvents: EventSource {
    private let store: Store
    private let id: String
    private var journal: Int64 = 0
    private var log: Int64 = 0
    private var steps: StepHistory
    private var told: Operation?
    private static let logLimit = 500

    /// - Parameter last: the id of the last event that the reader saw.
    init(_ store: Store, _ operation: OperationRecord, after last: String?) {
        self.store = store
        id = operation.id
        steps = StepHistory(kind: operation.kind)
        let parts = last?.split(separator: "-").compactMap { Int64($0) } ?? []
        if parts.count == 2, parts.allSatisfy({ $0 >= 0 }) { (journal, log) = (parts[0], parts[1]) }
    }

    mutating func read() async throws -> (events: [ServerEvent], isOver: Bool) {
        // The state is read before journal and log: what says that it is over must come after all that led there.
        guard let record = try await store.operation(id) else { return ([], true) }
        var events = try await stepEvents() + logEvents()
        let operation = Operation(record, steps: steps.steps)
        let isOver = record.state.isFinished && events.isEmpty
        if told == nil || told?.state != operation.state {
            // The end is told last, once there is nothing left to tell.
            if !record.state.isFinished || isOver {
                events.append(try event("operation", operation))
                told = operation
            }
        }
        return (events, isOver)
    }

    private mutating func stepEvents() async throws -> [ServerEvent] {
        var events: [ServerEvent] = []
        for entry in try await store.journal(id, after: steps.seq) {
            let isNews = entry.seq > journal
            journal = max(journal, entry.seq)
            if let step = steps.take(entry), isNews { events.append(try event("step", step)) }
        }
        return events
    }

    private mutating func logEvents() async throws -> [ServerEvent] {
        var events: [ServerEvent] = []
        for line in try await store.log(id, after: log, limit: Self.logLimit) {
            log = line.seq
            events.append(try event("log", LogLine(line)))
        }
        return events
    }

    private func event(_ name: String, _ model: some Encodable) throws -> ServerEvent {
        try ServerEvent(name, id: "\(journal)-\(log)", model)
    }
}
