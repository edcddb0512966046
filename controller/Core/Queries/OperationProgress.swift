package import APIModels
import Model
import Store

/// The life of one operation, as far as its viewer has not read it yet. Its place is in the journal and the log themselves, so
/// a reader can come back to another run of the controller and miss nothing.
package struct OperationProgress: Sendable {
    /// Something new.
    package enum News: Sendable {
        /// The state is another one; with all steps.
        case operation(APIModels.Operation)
        case step(OperationStep)
        case log(LogLine)
        /// Of a command, for those who may run one.
        case output(OutputPiece)
    }

    private let queries: Queries
    private let id: String
    private let hears: Bool
    private var journal: Int64 = 0
    private var log: Int64 = 0
    private var heard = OutputPlace()
    private var steps: StepHistory
    private var told: APIModels.Operation?
    private static let logLimit = 500

    init(_ queries: Queries, _ operation: OperationRecord, _ outline: [StepOutline], after place: String?) {
        self.queries = queries
        id = operation.id
        hears = operation.kind == NodeCommand.kind && queries.viewer.scopes.permits(.commands)
        steps = StepHistory(outline)
        let parts = place?.split(separator: "-").compactMap { Int64($0) } ?? []
        guard [2, 4].contains(parts.count), parts.allSatisfy({ $0 >= 0 }) else { return }
        (journal, log) = (parts[0], parts[1])
        if parts.count == 4 { heard = OutputPlace(stdout: parts[2], stderr: parts[3]) }
    }

    /// Rings when the command says something; nil where that is not for the viewer.
    package var bell: AsyncStream<Void>? { hears ? queries.dependencies.live.bell(of: id) : nil }

    /// What is new, each with the place behind it; `isOver` when nothing will follow.
    package mutating func read() async throws(CoreError) -> (news: [(News, place: String)], isOver: Bool) {
        let (id, viewer) = (id, queries.viewer)
        // The state is read before journal and log: what says that it is over must come after all that led there.
        let found = try await queries.read { store throws(StoreError) in
            try store.operation(id).flatMap { record throws(StoreError) in try store.shown(record, to: viewer) }
        }
        guard let record = found else { return ([], true) }
        var news = try await stepNews() + logNews() + outputNews()
        let operation = try await queries.told(
            Operation(record, steps: steps.steps, withResult: hears))
        let isOver = record.state.isFinished && news.isEmpty
        // The end is told last, once there is nothing left to tell.
        if told?.state != operation.state, !record.state.isFinished || isOver {
            news.append((.operation(operation), place))
            told = operation
        }
        return (news, isOver)
    }

    private var place: String { "\(journal)-\(log)" + (hears ? "-\(heard.stdout)-\(heard.stderr)" : "") }

    private mutating func stepNews() async throws(CoreError) -> [(News, place: String)] {
        var news: [(News, place: String)] = []
        let (id, seq) = (id, steps.seq)
        let entries = try await queries.read { store throws(StoreError) in try store.journal(id, after: seq) }
        for entry in entries {
            let isNews = entry.seq > journal
            journal = max(journal, entry.seq)
            if let step = steps.take(entry), isNews { news.append((.step(queries.viewer.shown(step)), place)) }
        }
        return news
    }

    private mutating func logNews() async throws(CoreError) -> [(News, place: String)] {
        var news: [(News, place: String)] = []
        // Where none of the lines is for the viewer, there may be others behind them.
        while news.isEmpty {
            let (id, seq) = (id, log)
            let lines = try await queries.read { store throws(StoreError) in
                try store.log(id, after: seq, limit: Self.logLimit)
            }
            if lines.isEmpty { break }
            for line in lines {
                log = line.seq
                if let shown = LogLine(line, for: queries.viewer) { news.append((.log(shown), place)) }
            }
        }
        return news
    }

    private mutating func outputNews() async throws(CoreError) -> [(News, place: String)] {
        guard hears else { return [] }
        var news: [(News, place: String)] = []
        for chunk in try await queries.lastOutput(of: id, after: heard) {
            heard[chunk.stream] = chunk.end
            news.append((.output(OutputPiece(chunk)), place))
        }
        return news
    }
}

extension Queries {
    /// An operation live, to its end.
    /// - Parameter place: the last that the reader has seen.
    package func progress(of id: String, after place: String?) async throws(CoreError) -> OperationProgress {
        let record = try await operation(id)
        return OperationProgress(self, record, try await steps(of: record).0, after: place)
    }
}
