import WireProtocol

extension PoolScan {
    /// All that the member `scan_stats` of a pool's JSON tells, the scrub or resilver of the whole pool first.
    static func all(json: JSONValue?) -> [PoolScan] {
        guard let json else { return [] }
        var scans: [PoolScan] = []
        let kinds: [String: Kind] = ["SCRUB": .scrub, "RESILVER": .resilver, "ERRORSCRUB": .errorScrub]
        if let kind = kinds[json["function"]?.asString ?? ""] {
            let total = figure(json, "to_examine").subtracting(figure(json, "skipped"))
            scans.append(
                PoolScan(kind, json, prefix: "", pause: "scrub_pause", done: figure(json, "issued"), of: total))
        }
        if let kind = kinds[json["err_scrub_func"]?.asString ?? ""] {
            let done = figure(json, "err_scrub_examined")
            let total = done.adding(figure(json, "err_scrub_to_examine"))
            scans.append(
                PoolScan(kind, json, prefix: "err_scrub_", pause: "err_scrub_pause", done: done, of: total))
        }
        for member in json["rebuild_stats"]?.asObject?.members ?? [] {
            scans.append(
                PoolScan(
                    .resilver, member.value, prefix: "", pause: nil, group: member.key,
                    done: figure(member.value, "scanned"), of: figure(member.value, "to_scan")))
        }
        return scans
    }

    private init(
        _ kind: Kind, _ json: JSONValue, prefix: String, pause: String?, group: String? = nil, done: Int64,
        of total: Int64
    ) {
        self.kind = kind
        self.group = group
        let isPaused = pause.map { Self.figure(json, $0) > 0 } ?? false
        let states: [String: State] = [
            "SCANNING": .running, "ERRORSCRUBBING": .running, "ACTIVE": .running, "FINISHED": .finished,
            "COMPLETE": .finished, "CANCELED": .cancelled, "NONE": .none,
        ]
        let told = states[json["\(prefix)state"]?.asString ?? ""] ?? .unknown
        state = told == .running && isPaused ? .paused : told
        let isBegun = state == .running || state == .paused
        percent = isBegun && total > 0 ? Self.percentage(100 * Double(done) / Double(total)) : nil
        secondsLeft = nil
        errors = state == .finished && prefix.isEmpty ? Self.figure(json, "errors") : nil
        started = Self.time(json, "\(prefix)start_time")
        ended = isBegun ? nil : Self.time(json, "\(prefix)end_time")
        let name = [kind == .errorScrub ? "error scrub" : kind.rawValue, group.map { "(\($0))" }].compactMap { $0 }
        let share = percent.map { ", \(Int64($0)) % done" } ?? ""
        said = (name + [state.rawValue]).joined(separator: " ") + (errors.map { " with \($0) errors" } ?? share)
    }

    private static func figure(_ json: JSONValue, _ key: String) -> Int64 { ZFSSize.figure(json[key]) ?? 0 }

    /// Zero is never.
    private static func time(_ json: JSONValue, _ key: String) -> Int64? {
        guard let seconds = ZFSSize.figure(json[key]) else { return json[key]?.asString.flatMap(CTime.milliseconds) }
        return seconds > 0 ? seconds.multipliedSaturating(by: 1000) : nil
    }
}

extension Int64 {
    fileprivate func adding(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    fileprivate func subtracting(_ other: Int64) -> Int64 {
        let (rest, overflow) = subtractingReportingOverflow(other)
        return overflow ? 0 : rest
    }
}
