import DriverKit
import Model
import WireProtocol

/// Which entries of a log a call wants, whatever the log is made of.
struct LogQuery: Sendable, Hashable {
    enum Priority: Int, Sendable, Hashable, CaseIterable {
        case emergency, alert, critical, error, warning, notice, info, debug

        var name: String { "\(self)" }

        /// By its name or its number.
        init?(word: String) {
            guard let found = Self.allCases.first(where: { $0.name == word || String($0.rawValue) == word }) else {
                return nil
            }
            self = found
        }

        static let words = allCases.map(\.name) + allCases.map { String($0.rawValue) }
    }

    /// Milliseconds since 1970.
    let since: Int64?
    let until: Int64?
    /// Entries from the end; nil for all.
    let tail: Int?
    /// A unit of systemd, or the tag of a line in a file.
    let unit: String?
    /// This grave or graver.
    let priority: Priority?
    let follows: Bool

    static let times: ClosedRange<Int64> = 0...253_402_300_799_999

    init(_ reader: inout ArgumentReader) throws(DriverError) {
        since = try reader.optionalInteger("since")
        until = try reader.optionalInteger("until")
        let wanted = try reader.optionalInteger("tail")
        unit = try reader.optionalString("unit")
        priority = try reader.optionalString("priority").flatMap(Priority.init(word:))
        follows = try reader.bool("follow")
        // A period is wanted whole; without one, the last lines.
        tail = wanted.map { Int($0) } ?? (since == nil ? 100 : nil)
        if follows, until != nil { throw .invalidArgument("until", "excludes follow") }
    }
}

/// One entry of a log, in the form that all logs are told in.
struct LogEntry: Sendable, Hashable {
    /// Milliseconds since 1970, by the machine's own clock.
    var time: Int64?
    var unit: String?
    var pid: Int64?
    var priority: LogQuery.Priority?
    /// Nil for what is no text or too long to be told.
    var message: String?

    /// As output: one JSON object on a line.
    var line: [UInt8] {
        var object: JSONObject = [:]
        object["time"] = time.map { .string(Timestamp(milliseconds: $0).iso8601) }
        object["unit"] = unit.map { .string($0) }
        object["pid"] = pid.map { .integer($0) }
        object["priority"] = priority.map { .string($0.name) }
        object["message"] = message.map { .string($0) } ?? .null
        return object.encoded + [0x0A]
    }
}

/// What was told of a log so far.
struct LogTally: Sendable {
    var entries: Int64 = 0
    /// Entries that could not be read, or were too long.
    var dropped: Int64 = 0
    var first: Int64?
    var last: Int64?

    mutating func count(_ entry: LogEntry) {
        entries += 1
        first = first ?? entry.time
        last = entry.time ?? last
    }

    var json: JSONObject {
        var object: JSONObject = ["entries": .integer(entries), "dropped": .integer(dropped)]
        object["first"] = first.map { .integer($0) }
        object["last"] = last.map { .integer($0) }
        return object
    }
}
