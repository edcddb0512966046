import DriverKit
import Model
import Processes
import Synchronization
import WireProtocol

/// What the pools have reported: read errors, changes of state, scrubs, changes of their configuration.
extension ZFSDriver {
    /// Events that a result holds; with `follow` they are output, one JSON object a line, until the command is stopped.
    func tellEvents(_ call: ActionCall, _ context: ActionContext) async throws(DriverError) -> ActionOutcome {
        var reader = ArgumentReader(call.arguments)
        let pool = try reader.optionalString("pool")
        let tail = Int(try reader.integer("tail"))
        let follows = try reader.bool("follow")
        try reader.finish()
        if let pool { _ = try await status(of: pool) }
        let words = ["events", "-H", "-v"] + (follows ? ["-f"] : []) + (pool.map { ["--", $0] } ?? [])
        let state = Mutex(EventReading(tail: tail, keeps: !follows))
        try await tools.pour(.zpool, words, deadline: follows ? nil : tools.patience) {
            (stream, bytes) throws(CancellationError) in
            guard stream == .stdout else { return }
            let events = state.withLock { $0.feed(bytes) }
            if follows, !events.isEmpty { try await context.output(.stdout, events.flatMap { $0.encoded + [0x0A] }) }
        }
        let last = state.withLock { $0.finish() }
        if follows, let last { try? await context.output(.stdout, last.encoded + [0x0A]) }
        return .seen(state.withLock { $0.json })
    }
}

/// The blocks of `zpool events -H -v` as they come: a line with a date, lines `name = value`, an empty line.
struct EventReading: Sendable {
    private let tail: Int
    private let keeps: Bool
    private var lines = LineSplitter(limit: 16 << 10)
    private var event: JSONObject?
    private var kept: [JSONObject] = []
    private(set) var count = 0

    /// What is told of an event, besides its class and time.
    private static let told: Set = [
        "pool", "pool_state", "pool_context", "vdev_path", "vdev_type", "vdev_state", "vdev_laststate",
        "vdev_read_errors",
        "vdev_write_errors", "vdev_cksum_errors", "zio_err", "zio_offset", "zio_size", "history_internal_name",
        "history_internal_str", "history_dsname", "resource", "eid",
    ]

    init(tail: Int, keeps: Bool) { (self.tail, self.keeps) = (tail, keeps) }

    /// The events that these bytes complete.
    mutating func feed(_ bytes: [UInt8]) -> [JSONObject] {
        let lines = lines.feed(bytes)
        return lines.compactMap { take(String(decoding: $0, as: UTF8.self)) }
    }

    mutating func finish() -> JSONObject? {
        if let line = lines.finish(), let done = take(String(decoding: line, as: UTF8.self)) { return done }
        return complete()
    }

    private mutating func take(_ line: String) -> JSONObject? {
        guard line.first == " " || line.first == "\t" else {
            let done = complete()
            let columns = line.split(separator: "\t")
            if columns.count == 2 {
                event = ["class": .string(String(columns[1])), "said_at": .string(String(columns[0]))]
            }
            return done
        }
        let parts = line.split(separator: "=", maxSplits: 1).map(\.trimmed)
        guard parts.count == 2, event != nil else { return nil }
        if parts[0] == "time" { event?["time"] = Self.milliseconds(parts[1]).map { .integer($0) } }
        if Self.told.contains(parts[0]) { event?[parts[0]] = .string(Self.unquoted(parts[1])) }
        return nil
    }

    private mutating func complete() -> JSONObject? {
        guard let done = event else { return nil }
        event = nil
        count += 1
        if keeps {
            kept.append(done)
            if kept.count > tail { kept.removeFirst() }
        }
        return done
    }

    /// `0x6566a5d1 0x2b0d1e3c`: seconds and nanoseconds.
    private static func milliseconds(_ text: String) -> Int64? {
        let words = text.split(separator: " ").map { Int64($0.dropFirst(2), radix: 16) }
        guard words.count == 2, let seconds = words[0], let nanoseconds = words[1],
            (0...Int64.max / 1000 - 1).contains(seconds), (0..<1_000_000_000).contains(nanoseconds)
        else { return nil }
        return seconds * 1000 + nanoseconds / 1_000_000
    }

    private static func unquoted(_ text: String) -> String {
        text.hasPrefix("\"") && text.hasSuffix("\"") && text.count > 1 ? String(text.dropFirst().dropLast()) : text
    }

    var json: JSONObject {
        var object: JSONObject = ["count": .integer(Int64(count))]
        if keeps { object["events"] = .array(kept.map { .object($0) }) }
        return object
    }
}
