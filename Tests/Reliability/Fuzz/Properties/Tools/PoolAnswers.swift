import Model
import WireProtocol

@testable import ZFSDriver

/// What `zfs` and `zpool` print beside their tables, and the first record of a stream.
enum PoolAnswers {
    static let targets = [
        FuzzTarget("zfs-tools") { input in
            try pools(text(input))
            try survey(text(input))
            try lines(input)
            try events(Array(input))
        },
        FuzzTarget("zfs-stream", longest: 640) { input in try header(Array(input)) },
    ]

    private static func pools(_ text: String) throws {
        for pool in PoolStatus.parse(text) + ((try? PoolStatus.parse(json: text)) ?? []) {
            try carried(pool.json)
            try require(pool.damaged.count <= 100, "\(pool.damaged.count) damaged files are named")
            for device in pool.devices {
                let counts = [device.reads, device.writes, device.checksums].map { $0 ?? 0 }
                try require(device.depth >= 0 && counts.allSatisfy { $0 >= 0 }, "an odd device: \(device)")
            }
            for scan in pool.scans {
                let isOdd = !(0...100).contains(scan.percent ?? 0) || (scan.secondsLeft ?? 0) < 0
                try require(!isOdd, "an odd scan: \(scan)")
                try require((scan.started ?? 0) >= 0 && (scan.ended ?? 0) >= 0, "a scan before its time")
            }
        }
        if let cache = ArcStatistics(text) {
            try carried(cache.json)
            try require((0...1).contains(cache.hitRatio ?? 0), "an odd share: \(cache.hitRatio ?? 0)")
        }
    }

    /// Whatever the figures, the report is made of them and comes in order.
    private static func survey(_ text: String) throws {
        let objects = ZFSObject.parse(text) + ((try? ZFSObject.parse(json: text)) ?? [])
        let usage = objects.map { SnapshotUsage($0, objects) }
        for one in usage { try carried(one.json) }
        let survey = Survey(
            pools: ZFSPool.parse(text), fragmentation: ["tank": .max], statuses: PoolStatus.parse(text),
            datasets: objects, snapshots: usage, arc: ArcStatistics(text),
            now: Timestamp(milliseconds: 1_795_000_000_000))
        let suggestions = survey.suggestions
        try require(suggestions.map(\.weight) == suggestions.map(\.weight).sorted(), "the gravest does not come first")
        for suggestion in suggestions { try carried(suggestion.json) }
        try require(survey.largest.count <= 20, "\(survey.largest.count) of the largest 20")
    }

    private static func lines(_ input: UnsafeRawBufferPointer) throws {
        let text = text(input)
        let estimate = SendEstimate(text)
        try require((estimate.bytes ?? 0) >= 0, "a stream of \(estimate.bytes ?? 0) bytes")
        let holds = ZFSHold.parse(text)
        try require(holds.count <= lineCount(input), "more holds than lines")
        for hold in holds { try carried(hold.json) }
        for line in text.split(separator: "\n") {
            guard let difference = ZFSDifference(String(line)) else { continue }
            try carried(difference.json)
            try require(difference.path.utf8.count <= line.utf8.count * 3, "a path grows")
            try require(
                (difference.newPath != nil)
                    == (line.split(separator: "\t", omittingEmptySubsequences: false).count > 3), "a path is lost")
        }
    }

    /// Events are the same however their bytes come, and no more are kept than were asked for.
    private static func events(_ bytes: [UInt8]) throws {
        var whole = EventReading(tail: 3, keeps: true)
        var pieces = EventReading(tail: 3, keeps: true)
        var told = whole.feed(bytes)
        var again: [JSONObject] = []
        for start in stride(from: 0, to: bytes.count, by: 5) {
            again += pieces.feed(Array(bytes[start..<min(start + 5, bytes.count)]))
        }
        if let last = whole.finish() { told.append(last) }
        if let last = pieces.finish() { again.append(last) }
        try require(told == again, "events in pieces are others")
        try require(whole.count == told.count, "\(whole.count) events counted, \(told.count) told")
        for event in told {
            try carried(event)
            try require((event["time"]?.asInteger ?? 0) >= 0, "an event before its time")
        }
        try require((whole.json["events"]?.asArray ?? []).count <= 3, "more events than asked for")
    }

    /// A machine of the other order of bytes writes the same header.
    private static func header(_ bytes: [UInt8]) throws {
        for record in [bytes, bytes + [UInt8](repeating: 0, count: StreamHeader.length)] {
            guard let header = StreamHeader(record) else { continue }
            try require(header.name.utf8.count <= 3 * StreamHeader.length, "a name without an end")
            try require(!header.name.utf8.contains(0), "a name with its end inside")
            var turned = record
            for (start, count) in [(0, 4), (8, 8), (16, 8), (32, 4), (40, 8), (48, 8)] {
                turned[start..<start + count].reverse()
            }
            try require(StreamHeader(turned) == header, "in the other order it is another stream")
        }
    }
}
