import APIModels
import ControllerCore
import HTTP
import Model
import Store

/// The life of one operation: `event: operation` with all its steps when its state changes, `event: step` when a step
/// does, `event: log` for each line of its log, `event: output` for each piece of what its command says. The place is in the journal and the log themselves, so a reader can come back to another
/// run of the controller and miss nothing.
struct OperationEvents: EventSource {
    private let store: Store
    private let id: String
    private var journal: Int64 = 0
    private var log: Int64 = 0
    private var steps: StepHistory
    private var told: Operation?
    private static let logLimit = 500
    /// Of what commands say; nil for readers who may not hear it.
    private let live: LiveCommands?
    private var heard = OutputPlace()

    /// - Parameters:
    ///   - table: the steps that the operation has.
    ///   - last: the id of the last event that the reader saw.
    init(
        _ store: Store, _ operation: OperationRecord, _ table: [StepOutline], _ live: LiveCommands? = nil,
        after last: String?
    ) {
        self.store = store
        self.live = live
        id = operation.id
        steps = StepHistory(table)
        let parts = last?.split(separator: "-").compactMap { Int64($0) } ?? []
        guard [2, 4].contains(parts.count), parts.allSatisfy({ $0 >= 0 }) else { return }
        (journal, log) = (parts[0], parts[1])
        if parts.count == 4 { heard = OutputPlace(stdout: parts[2], stderr: parts[3]) }
    }

    mutating func read() async throws -> (events: [ServerEvent], isOver: Bool) {
        // The state is read before journal and log: what says that it is over must come after all that led there.
        guard let record = try await store.operation(id) else { return ([], true) }
        var events = try await stepEvents() + logEvents() + outputEvents()
        let operation = try await Names(store).told(
            Operation(record, steps: steps.steps, withResult: live != nil))
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

    private mutating func outputEvents() async throws -> [ServerEvent] {
        guard let live else { return [] }
        var events: [ServerEvent] = []
        for chunk in try await store.lastOutput(of: id, live, after: heard) {
            heard[chunk.stream] = chunk.end
            events.append(try event("output", OutputPiece(chunk)))
        }
        return events
    }

    private func event(_ name: String, _ model: some Encodable) throws -> ServerEvent {
        let place = live == nil ? "" : "-\(heard.stdout)-\(heard.stderr)"
        return try ServerEvent(name, id: "\(journal)-\(log)\(place)", model)
    }
}
