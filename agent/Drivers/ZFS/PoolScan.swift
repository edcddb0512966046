import Model
import WireProtocol

/// A look of a pool at all its data (a scrub), at what is known to be damaged (an error scrub), or the filling of a device.
struct PoolScan: Sendable, Hashable {
    enum State: String, Sendable, Hashable { case none, running, paused, finished, cancelled, unknown }
    enum Kind: String, Sendable, Hashable {
        case scrub, resilver
        case errorScrub = "error_scrub"
    }

    let state: State
    /// Nil where there was none, or where its sentence is not understood.
    let kind: Kind?
    /// The group of devices that a sequential resilver fills: `mirror-0`. One that goes through the whole pool has none.
    let group: String?
    /// How far a running one is, 0...100.
    let percent: Double?
    /// Seconds that a running one says it still needs.
    let secondsLeft: Int64?
    /// Errors that a finished one found and could not repair.
    let errors: Int64?
    /// Milliseconds since 1970, as far as the tool tells.
    let started: Int64?
    let ended: Int64?
    /// The tool's own sentence, or one of ours where it gives figures only.
    let said: String

    var isUnderWay: Bool { state == .running || state == .paused }

    /// From a sentence: `scrub repaired 0B in 04:12:33 with 2 errors on Sun Aug  3 04:12:33 2025`.
    init(_ text: String) {
        said = text
        let plain = text.hasPrefix("thorough ") ? String(text.dropFirst("thorough ".count)) : text
        let words = plain.split(separator: " ").map(String.init)
        kind = Self.kinds.first { plain.hasPrefix($0.beginning) }?.kind
        state = Self.state(plain)
        let second = words.count > 1 ? words[1] : ""
        group = second.hasPrefix("(") && second.hasSuffix(")") ? String(second.dropFirst().dropLast()) : nil
        percent = words.first { $0.hasSuffix("%") || $0.hasSuffix("%,") }.flatMap { word in
            Self.percentage(Double(word.prefix { $0 != "%" }))
        }
        secondsLeft = state == .running ? Self.timeLeft(words) : nil
        let count = words.firstIndex(of: "errors").flatMap { $0 > 0 ? Int64(words[$0 - 1]) : nil }
        errors = state == .finished ? count : nil
        started = isBegun(state) ? Self.date(behind: state == .paused ? "on" : "since", words) : nil
        ended = isBegun(state) ? nil : Self.date(behind: "on", words)
        func isBegun(_ state: State) -> Bool { state == .running || state == .paused }
    }

    private static let kinds: [(beginning: String, kind: Kind)] = [
        ("error scrub", .errorScrub), ("scrubbed ", .errorScrub), ("scrub ", .scrub), ("resilver", .resilver),
    ]

    private static func state(_ text: String) -> State {
        if text.isEmpty || text.hasPrefix("none requested") { return .none }
        if text.contains(" paused since") { return .paused }
        if text.contains(" in progress") { return .running }
        if text.contains(" canceled on") || text.contains(" stopped after") { return .cancelled }
        let ends = ["scrub completed", "scrub repaired", "resilver completed", "resilvered ", "scrubbed "]
        return ends.contains { text.hasPrefix($0) } ? .finished : .unknown
    }

    static func percentage(_ value: Double?) -> Double? {
        value.flatMap { $0.isFinite ? min(100, max(0, $0)) : nil }
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

    /// The five words of a date behind the last such word.
    private static func date(behind word: String, _ words: [String]) -> Int64? {
        guard let place = words.lastIndex(of: word), words.count >= place + 6 else { return nil }
        return CTime.milliseconds(words[(place + 1)...(place + 5)].joined(separator: " "))
    }

    var json: JSONObject {
        var object: JSONObject = ["state": .string(state.rawValue), "said": .string(said)]
        object["kind"] = kind.map { .string($0.rawValue) }
        object["group"] = group.map { .string($0) }
        object["percent"] = percent.map { .number($0) }
        object["seconds_left"] = secondsLeft.map { .integer($0) }
        object["errors"] = errors.map { .integer($0) }
        object["started"] = started.map { .integer($0) }
        object["ended"] = ended.map { .integer($0) }
        return object
    }
}
