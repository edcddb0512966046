import Glibc

/// Local times as `ctime` prints them, which the tools do: `Sat Nov 21 15:16:05 2026`, or without seconds.
enum CTime {
    /// Milliseconds since 1970; nil for anything else.
    static func milliseconds(_ text: String) -> Int64? {
        let words = text.split(separator: " ")
        guard words.count == 5, let month = months.firstIndex(of: String(words[1])), let day = Int32(words[2]),
            let year = Int32(words[4]), (1970...9999).contains(year), (1...31).contains(day)
        else { return nil }
        let clock = words[3].split(separator: ":").map { Int32($0) }
        guard clock.count == 2 || clock.count == 3, clock.allSatisfy({ $0.map { (0...60).contains($0) } ?? false })
        else {
            return nil
        }
        var time = tm()
        (time.tm_year, time.tm_mon, time.tm_mday) = (year - 1900, Int32(month), day)
        (time.tm_hour, time.tm_min, time.tm_sec) = (clock[0] ?? 0, clock[1] ?? 0, clock.count > 2 ? clock[2] ?? 0 : 0)
        time.tm_isdst = -1
        let seconds = mktime(&time)
        return seconds < 0 ? nil : Int64(seconds) * 1000
    }

    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
}
