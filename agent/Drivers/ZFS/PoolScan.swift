import Model
import WireProtocol

/// The last look of a pool at all its data: a scrub, or the resilvering of a device.
struct PoolScan: Sendable, Hashable {
    enum State: String, Sendable, Hashable { case none, running, paused, finished, cancelled, unknown }

    let state: State
    /// `scrub` or `resilver`; nil where there was none.
    let kind: String?
    /// How far a running one is, 0...100.
    let percent: Double?
    /// Seconds that a running one says it still needs.
    let secondsLeft: Int64?
    /// Errors that a finished one found and could not repair.
    let errors: Int64?
    /// When it began (running) or ended, as the tool prints the local time: `Sun Nov 15 04:12:33 2026`.
    let date: String?
    /// The tool's own sentence.
    let said: String

    init(_ text: String) {
        said = text
        let words = text.split(separator: " ").map(String.init)
        kind = text.hasPrefix("resilver") ? "resilver" : text.hasPrefix("scrub") ? "scrub" : nil
        state = Self.state(text)
        percent = words.first { $0.hasSuffix("%") || $0.hasSuffix("%,") }.flatMap { word in
            Double(word.prefix { $0 != "%" }).flatMap { $0.isFinite ? min(100, max(0, $0)) : nil }
        }
        secondsLeft = state == .running ? Self.timeLeft(words) : nil
        let count = words.firstIndex(of: "errors").flatMap { $0 > 0 ? Int64(words[$0 - 1]) : nil }
        errors = state == .finished ? count : nil
        date = Self.date(words)
    }

    private static func state(_ text: String) -> State {
        if text.isEmpty || text.hasPrefix("none requested") { return .none }
        if text.contains("in progress") { return text.contains("scrub paused") ? .paused : .running }
        if text.contains("paused") { return .paused }
        if text.contains("canceled") || text.contains("stopped") { return .cancelled }
        if text.contains("completed") || text.contains("repaired") || text.hasPrefix("resilvered") { return .finished }
        return .unknown
    }

    /// `0h12m to go` of the old tools, `00:20:10 to go` or `1 days 00:20:10 to go` of the new.
    private static func timeLeft(_ words: [String]) -> Int64? {
        guard
            let go = words.indices.first(where: { words[$0] == "to" && $0 + 1 < words.count && words[$0 + 1] == "go" }),
            go > 0
        else { return nil }
        var days: Int64 = 0
        if go >= 3, words[go - 2] == "days" { days = Int64(words[go - 3]) ?? 0 }
        let parts = words[go - 1].split(separator: ":").map { Int64($0) }
        var seconds: Int64?
        if parts.count == 3, let h = parts[0], let m = parts[1], let s = parts[2] {
            seconds = bounded(h, 3600) + bounded(m, 60) + bounded(s, 1)
        } else if words[go - 1].hasSuffix("m"), let hour = words[go - 1].firstIndex(of: "h") {
            let (h, m) = (Int64(words[go - 1][..<hour]), Int64(words[go - 1][hour...].dropFirst().dropLast()))
            if let h, let m { seconds = bounded(h, 3600) + bounded(m, 60) }
        }
        return seconds.map { $0 + bounded(days, 86_400) }
    }

    private static func bounded(_ value: Int64, _ unit: Int64) -> Int64 { min(max(value, 0), 1_000_000) * unit }

    /// The five words from a day's name on.
    private static func date(_ words: [String]) -> String? {
        let days: Set = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
        guard let start = words.firstIndex(where: days.contains), words.count >= start + 5 else { return nil }
        return words[start..<start + 5].joined(separator: " ")
    }

    var json: JSONObject {
        var object: JSONObject = ["state": .string(state.rawValue), "said": .string(said)]
        object["kind"] = kind.map { .string($0) }
        object["percent"] = percent.map { .number($0) }
        object["seconds_left"] = secondsLeft.map { .integer($0) }
        object["errors"] = errors.map { .integer($0) }
        object["date"] = date.map { .string($0) }
        return object
    }
}
