import DriverKit
import Model
import Synchronization
import WireProtocol

/// The files that a syslog daemon writes below `/var/log`.
extension HostDriver {
    /// Those that hold what the system says; other files there may hold anything.
    static let logFiles = [
        "syslog", "messages", "auth.log", "secure", "kern.log", "daemon.log", "user.log", "mail.log", "cron.log",
        "debug",
        "dpkg.log",
    ]

    func queryFile(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let name = try reader.string("file")
        let query = try LogQuery(&reader)
        try reader.finish()
        let reading = try await open(name, query)
        let entries = try await reading.catchUp()
        for piece in entries.pieces(of: 32 << 10) { try await send(piece, context) }
        if query.follows { try await follow(reading, context) }
        return ActionOutcome(changed: false, observed: reading.json)
    }

    private func open(_ name: String, _ query: LogQuery) async throws(DriverError) -> FileReading {
        let path = "\(root)/var/log/\(name)"
        let opened = await aside { Result<FileReading, LogFile.Failure>(opening: path, query) }
        switch opened {
        case .success(let reading): return reading
        case .failure(.missing):
            throw DriverError(.notFound, "this node has no /var/log/\(name)", cause: "journal.query may tell more")
        case .failure(.denied): throw DriverError(.permissionDenied, "/var/log/\(name) may not be read")
        case .failure(.noFile): throw DriverError(.unsupported, "/var/log/\(name) is no file")
        }
    }

    private func follow(_ reading: FileReading, _ context: ActionContext) async throws(DriverError) {
        while true {
            let entries = await aside { reading.more() }
            for piece in entries.pieces(of: 32 << 10) { try await send(piece, context) }
            if entries.isEmpty, (try? await Task.sleep(for: .milliseconds(500))) == nil {
                throw DriverError(.cancelled, "the following was broken off")
            }
        }
    }

    private func send(_ bytes: [UInt8], _ context: ActionContext) async throws(DriverError) {
        do { try await context.output(.stdout, bytes) } catch { throw DriverError(.cancelled, "broken off") }
    }
}

/// One reading of a log file: what is wanted of it, and how far it is.
final class FileReading: Sendable {
    private struct State {
        var file: LogFile
        var lines = LineSplitter(limit: 64 << 10)
        var gaps = LogGaps()
        var tally = LogTally()
        var last: Int64?
        /// Whether any line told its priority.
        var hasPriorities = false
    }

    private let query: LogQuery
    private let state: Mutex<State>
    /// Bytes of the last entries that are kept while the end is looked for; beyond them the oldest go.
    private static let keptBytes = 8 << 20

    fileprivate init(_ file: sending LogFile, _ query: LogQuery) {
        self.query = query
        state = Mutex(State(file: file))
    }

    /// Everything wanted up to the present end.
    func catchUp() async throws(DriverError) -> [[UInt8]] {
        var kept = KeptEntries(count: query.tail, bytes: Self.keptBytes)
        while true {
            let (entries, atEnd) = await aside { self.read() }
            kept.add(entries)
            if Task.isCancelled { throw DriverError(.cancelled, "broken off") }
            if atEnd { break }
        }
        if query.priority != nil, kept.entries.isEmpty, state.withLock({ !$0.hasPriorities && $0.last != nil }) {
            throw DriverError(.unsupported, "this file does not tell priorities", cause: "journal.query does")
        }
        if query.since ?? query.until != nil, !kept.entries.isEmpty, state.withLock({ $0.last == nil }) {
            throw DriverError(.unsupported, "no line of this file tells its time", cause: "ask without since and until")
        }
        state.withLock { state in
            state.tally.dropped += Int64(kept.dropped)
            for entry in kept.entries { state.tally.count(entry) }
        }
        return kept.entries.map(\.line)
    }

    /// What came since.
    func more() -> [[UInt8]] {
        let entries = read().entries
        state.withLock { state in for entry in entries { state.tally.count(entry) } }
        return entries.map(\.line)
    }

    private func read() -> (entries: [LogEntry], atEnd: Bool) {
        let now = Timestamp.now().milliseconds
        return state.withLock { state in
            let bytes = state.file.next()
            var entries: [LogEntry] = []
            for line in state.lines.feed(state.gaps.closed(bytes)) {
                let entry = LogEntry(file: String(decoding: line, as: UTF8.self), now: now)
                if entry.priority != nil { state.hasPriorities = true }
                if query.wants(entry, after: state.last) { entries.append(entry) }
                state.last = entry.time ?? state.last
            }
            return (entries, bytes.isEmpty)
        }
    }

    var json: JSONObject {
        state.withLock { state in
            var tally = state.tally
            tally.dropped += Int64(state.lines.dropped)
            return tally.json
        }
    }
}

/// The last entries, bounded in number and bytes.
struct KeptEntries {
    /// Nil for all.
    let count: Int?
    let bytes: Int
    private(set) var entries: [LogEntry] = []
    /// Entries that were wanted and went for want of room.
    private(set) var dropped = 0
    private var held = 0

    init(count: Int?, bytes: Int) { (self.count, self.bytes) = (count, bytes) }

    mutating func add(_ more: [LogEntry]) {
        entries += more
        held += more.reduce(0) { $0 + Self.size($1) }
        var surplus = count.map { max(0, entries.count - $0) } ?? 0
        for entry in entries.prefix(surplus) { held -= Self.size(entry) }
        let wanted = surplus
        while held > bytes, surplus < entries.count {
            held -= Self.size(entries[surplus])
            surplus += 1
        }
        dropped += surplus - wanted
        entries.removeFirst(surplus)
    }

    private static func size(_ entry: LogEntry) -> Int { 128 + (entry.message?.utf8.count ?? 0) }
}

extension [[UInt8]] {
    /// Lines put together into pieces of about this size.
    fileprivate func pieces(of size: Int) -> [[UInt8]] {
        reduce(into: []) { pieces, line in
            if pieces.last.map({ $0.count + line.count > size }) ?? true { pieces.append([]) }
            pieces[pieces.count - 1] += line
        }
    }
}

extension Result where Success == FileReading, Failure == LogFile.Failure {
    fileprivate init(opening path: String, _ query: LogQuery) {
        do throws(LogFile.Failure) {
            self = .success(FileReading(try LogFile(path), query))
        } catch { self = .failure(error) }
    }
}
