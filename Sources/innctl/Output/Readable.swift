import APIModels
import Model
import WireProtocol

/// How values read in tables.
enum Readable {
    /// `a=1,b=2`, by name.
    static func labels(_ labels: [String: String]) -> String {
        labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ",")
    }

    /// How long ago: `12s`, `5m`, `3h`, `9d`.
    static func age(_ time: Timestamp?, now: Timestamp = .now()) -> String? {
        guard let time else { return nil }
        return span(max(0, now.milliseconds - time.milliseconds))
    }

    /// A stretch of time in its largest unit.
    static func span(_ milliseconds: Int64) -> String {
        switch milliseconds / 1000 {
        case ..<1: "\(milliseconds)ms"
        case let seconds where seconds < 120: "\(seconds)s"
        case let seconds where seconds < 7200: "\(seconds / 60)m"
        case let seconds where seconds < 172_800: "\(seconds / 3600)h"
        case let seconds: "\(seconds / 86400)d"
        }
    }

    /// `512MiB` when that is exact, else rounded: `1.4 GiB`.
    static func bytes(_ count: Int64) -> String {
        guard let size = ByteCount(count) else { return "\(count)" }
        return count % 1_048_576 == 0 ? size.description : size.rounded
    }

    /// At most three digits after the point, none that say nothing.
    static func number(_ value: Double) -> String {
        guard value.isFinite else { return "?" }
        guard abs(value) < 1e15 else { return "\(value)" }
        let thousandths = Int64((value * 1000).rounded())
        guard thousandths % 1000 != 0 else { return "\(thousandths / 1000)" }
        var fraction = String(abs(thousandths % 1000) + 1000).dropFirst()
        while fraction.last == "0" { fraction.removeLast() }
        return (value < 0 ? "-" : "") + "\(abs(thousandths) / 1000).\(fraction)"
    }

    /// `web-1 (nod_…)`: by its name, and by what it is called for good.
    static func node(_ id: String?, _ name: String?) -> String? {
        id.map { id in name.map { "\($0) (\(id))" } ?? id }
    }

    /// A core is 1000 millis: `0.5`, `2`.
    static func cores(_ millis: Int64) -> String { number(Double(millis) / 1000) }
}
