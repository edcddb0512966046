import Glibc
import Model
import WireProtocol

/// Lines of the files that a syslog daemon writes.
extension LogEntry {
    /// `2026-11-21T15:06:03.123456+00:00 host tag[pid]: text`, `Nov 21 15:06:03 host tag[pid]: text`, either with `<13>` in
    /// front; a line in no such form is all message.
    /// - Parameter now: milliseconds since 1970, for the year that the older form leaves out.
    init(file line: String, now: Int64) {
        var rest = Substring(line)
        if rest.first == "<", let end = rest.firstIndex(of: ">"),
            let value = Int(rest[rest.index(after: rest.startIndex)..<end]),
            (0...191).contains(value)
        {
            priority = LogQuery.Priority(rawValue: value % 8)
            rest = rest[rest.index(after: end)...]
        }
        guard let time = Self.time(&rest, now: now) else {
            message = line
            return
        }
        self.time = time
        // The machine's name, then who spoke.
        let words = rest.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
        let said = words.count > 1 ? words[1] : ""
        guard let colon = said.firstIndex(of: ":"), !said[..<colon].contains(" ") else {
            message = String(said)
            return
        }
        let tag = said[..<colon]
        if let open = tag.firstIndex(of: "["), tag.last == "]" {
            unit = String(tag[..<open])
            pid = Int64(tag[tag.index(after: open)...].dropLast())
        } else {
            unit = String(tag)
        }
        message = String(said[said.index(after: colon)...].drop { $0 == " " })
    }

    /// Takes the time off the front of a line; nil, and nothing taken, where there is none.
    private static func time(_ rest: inout Substring, now: Int64) -> Int64? {
        let words = rest.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: true)
        if let first = words.first, let time = Timestamp(iso8601: String(first)) {
            rest = rest[first.endIndex...]
            return time.milliseconds
        }
        guard words.count >= 3, let month = months.firstIndex(of: String(words[0])), let day = Int32(words[1]) else {
            return nil
        }
        let clock = words[2].split(separator: ":").map { Int32($0) }
        guard clock.count == 3, let hour = clock[0], let minute = clock[1], let second = clock[2],
            (1...31).contains(day),
            (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        rest = rest[words[2].endIndex...]
        var parts = tm()
        var seconds = time_t(now / 1000)
        localtime_r(&seconds, &parts)
        let year = parts.tm_year
        func local(_ year: Int32) -> Int64 {
            var parts = tm()
            (parts.tm_year, parts.tm_mon, parts.tm_mday) = (year, Int32(month), day)
            (parts.tm_hour, parts.tm_min, parts.tm_sec, parts.tm_isdst) = (hour, minute, second, -1)
            return Int64(mktime(&parts)) * 1000
        }
        // What seems to lie more than a day ahead is of last year.
        let time = local(year)
        return time > now + 86_400_000 ? local(year - 1) : time
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
}

extension LogQuery {
    /// Whether an entry of a file is wanted; one without a time belongs to the line before it.
    func wants(_ entry: LogEntry, after last: Int64?) -> Bool {
        let time = entry.time ?? last
        if let since, let time, time < since { return false }
        if let until, let time, time > until { return false }
        if let unit {
            let bare = unit.hasSuffix(".service") ? String(unit.dropLast(8)) : unit
            guard entry.unit == unit || entry.unit == bare else { return false }
        }
        if let priority { return entry.priority.map { $0.rawValue <= priority.rawValue } ?? false }
        return true
    }
}
