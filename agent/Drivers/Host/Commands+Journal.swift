import DriverKit
import Model
import Processes
import Synchronization
import WireProtocol

/// The journal of systemd, through `journalctl -o json`.
extension HostDriver {
    func queryJournal(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let query = try LogQuery(&reader)
        let isKernel = try reader.bool("kernel")
        let boot = try reader.optionalInteger("boot")
        try reader.finish()
        if isKernel, query.unit != nil { throw .invalidArgument("kernel", "excludes unit") }
        var words = query.journalWords
        if isKernel { words.append("--dmesg") }
        if let boot { words.append("--boot=\(boot)") }
        let state = Mutex((lines: LineSplitter(), tally: LogTally()))
        let outcome = try await tools.pour("journalctl", words, deadline: nil) {
            (stream, bytes) throws(CancellationError) in
            guard stream == .stdout else { return }
            let output = state.withLock { state in
                state.lines.feed(bytes).reduce(into: [UInt8]()) { $0 += state.tally.take(journal: $1) }
            }
            if !output.isEmpty { try await context.output(.stdout, output) }
        }
        guard outcome.exit == .code(0) else {
            throw DriverError(.failed, "the journal cannot be read", cause: HostTools.lastWords(outcome))
        }
        let said = outcome.errorText
        let tally = state.withLock { state in
            state.tally.dropped += Int64(state.lines.dropped)
            return state.tally
        }
        if tally.entries == 0, said.contains("No journal files were found") {
            throw DriverError(
                .unavailable, "this node keeps no journal", retryable: false, cause: "log.query reads its files")
        }
        return ActionOutcome(changed: false, observed: tally.json)
    }
}

extension LogQuery {
    /// Words of journalctl. `--all` is left out on purpose: fields without a bound would come with it.
    fileprivate var journalWords: [String] {
        var words = [
            "--output=json", "--no-pager", "--utc",
            "--output-fields=MESSAGE,PRIORITY,_SYSTEMD_UNIT,UNIT,SYSLOG_IDENTIFIER,_PID,SYSLOG_PID",
            "--lines=\(tail.map(String.init) ?? "all")",
        ]
        if let since { words.append("--since=@\(Self.seconds(since))") }
        if let until { words.append("--until=@\(Self.seconds(until))") }
        if let unit { words.append("--unit=\(unit)") }
        if let priority { words.append("--priority=\(priority.rawValue)") }
        if follows { words.append("--follow") }
        return words
    }

    private static func seconds(_ milliseconds: Int64) -> String {
        "\(milliseconds / 1000).\(String(1000 + milliseconds % 1000).dropFirst())"
    }
}

extension LogTally {
    /// The output for one line of journalctl; none for one that is no entry.
    fileprivate mutating func take(journal line: [UInt8]) -> [UInt8] {
        guard let object = (try? JSONParser.parse(line, limits: .local))?.asObject else {
            if !line.isEmpty { dropped += 1 }
            return []
        }
        let entry = LogEntry(journal: object)
        count(entry)
        return entry.line
    }
}

extension LogEntry {
    /// All values are texts; a field that comes more than once is a list, one that is no text a list of its bytes, one
    /// that is too long `null`.
    init(journal object: JSONObject) {
        func text(_ key: String) -> String? {
            guard let value = object[key] else { return nil }
            if let text = value.asString { return text }
            let values = value.asArray ?? []
            if let first = values.first?.asString { return first }
            let bytes = values.compactMap { $0.asInteger.flatMap { UInt8(exactly: $0) } }
            return bytes.isEmpty || bytes.count != values.count ? nil : String(decoding: bytes, as: UTF8.self)
        }
        time = text("__REALTIME_TIMESTAMP").flatMap { Int64($0) }.map { $0 / 1000 }
        unit = text("UNIT") ?? text("_SYSTEMD_UNIT") ?? text("SYSLOG_IDENTIFIER")
        pid = (text("_PID") ?? text("SYSLOG_PID")).flatMap { Int64($0) }
        priority = text("PRIORITY").flatMap { Int($0) }.flatMap(LogQuery.Priority.init)
        message = text("MESSAGE")
    }
}
