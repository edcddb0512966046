import Glibc
import Model
import WireProtocol

/// Lines of the files that a syslog daemon writes.
extension LogEntry {
    /// `2026-11-21T15:06:03.123456+00:00 host tag[pid]: text`, `Nov 21 15:06:03 host tag[pid]: text`, either with `<13>` in
    /// front; the form of RFC 5424, which has `1` before the time; `2026-11-21 15:06:03 text` of dpkg. A line in no such form is
    /// all message.
    /// - Parameter now: milliseconds since 1970, for the year that the older form leaves out.
    init(file line: String, now: Int64) {
        var rest = Substring(line)
        if rest.first == "<", let end = rest.firstIndex(of: ">"),
            let value = Int(rest[rest.index(after: rest.startIndex)..<end]),
            (0...191).contains(value)
        {
            priority = LogQuery.Priority(rawValue: value % 8)
            rest = rest[rest.index(after: end)...]
            if takeProtocol23(rest) { return }
        }
        if let plain = Self.plainTime(&rest) {
            (time, message) = (plain, String(rest.drop { $0 == " " }))
            return
        }
        guard let time = Self.time(&rest, now: now) else {
            message = line
            return
        }
        self.time = time
        // The machine's name, then who spoke.
        let words = rest.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: true)
        takeText(words.count > 1 ? words[1] : "")
    }

    private mutating func takeText(_ said: Substring) {
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

    /// `1 2026-11-21T15:06:03.123Z host app 123 id [data] text`, where `-` is nothing.
    private mutating func takeProtocol23(_ line: Substring) -> Bool {
        let words = line.split(separator: " ", maxSplits: 6, omittingEmptySubsequences: false)
        guard words.count == 7, words[0] == "1", let time = Timestamp(iso8601: String(words[1])) else { return false }
        self.time = time.milliseconds
        unit = words[3] == "-" ? nil : String(words[3])
        pid = Int64(words[4])
        message = String(Self.text(behindData: words[6]))
        return true
    }

    /// The data of RFC 5424 are groups in brackets without blanks between them; a bracket in a value stands behind a backslash.
    private static func text(behindData rest: Substring) -> Substring {
        var text = rest.first == "-" ? rest.dropFirst() : rest
        while text.first == "[" {
            var isEscaped = false
            guard
                let end = text.firstIndex(where: { character in
                    defer { isEscaped = character == "\\" && !isEscaped }
                    return character == "]" && !isEscaped
                })
            else { return rest }
            text = text[text.index(after: end)...]
        }
        return text.drop { $0 == " " || $0 == "\u{FEFF}" }
    }

    /// Takes `2026-11-21 15:06:03`, in the machine's time, off the front of a line.
    private static func plainTime(_ rest: inout Substring) -> Int64? {
        let words = rest.split(separator: " ", maxSplits: 2, omittingEmptySubsequences: false)
        guard words.count >= 2, let clock = clock(words[1]) else { return nil }
        let date = words[0].split(separator: "-", omittingEmptySubsequences: false).map { Int32($0) }
        guard date.count == 3, words[0].utf8.count == 10, let year = date[0], let month = date[1], let day = date[2],
            (1970...9999).contains(year), (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        rest = rest[words[1].endIndex...]
        return local(year - 1900, month - 1, day, clock)
    }

    /// `15:06:03`, with a fraction or without.
    private static func clock(_ text: Substring) -> (hour: Int32, minute: Int32, second: Int32)? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let hour = Int32(parts[0]), let minute = Int32(parts[1]),
            let second = Int32(parts[2].prefix { $0 != "." && $0 != "," }), (0...23).contains(hour),
            (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        return (hour, minute, second)
    }

    /// - Parameters:
    ///   - year: since 1900.
    ///   - month: from 0 on.
    private static func local(
        _ year: Int32, _ month: Int32, _ day: Int32, _ clock: (hour: Int32, minute: Int32, second: Int32)
    ) -> Int64 {
        var parts = tm()
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (year, month, day)
        (parts.tm_hour, parts.tm_min, parts.tm_sec, parts.tm_isdst) = (clock.hour, clock.minute, clock.second, -1)
        return Int64(mktime(&parts)) * 1000
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
        guard (1...31).contains(day), let clock = clock(words[2]) else { return nil }
        rest = rest[words[2].endIndex...]
        var parts = tm()
        var seconds = time_t(now / 1000)
        localtime_r(&seconds, &parts)
        // What seems to lie more than a day ahead is of last year.
        let time = local(parts.tm_year, Int32(month), day, clock)
        return time > now + 86_400_000 ? local(parts.tm_year - 1, Int32(month), day, clock) : time
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
