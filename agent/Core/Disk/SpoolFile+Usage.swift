package import Model
package import SQL
import SQLite
package import WireProtocol

/// Usage is never dropped, and still the spool is bounded: counters only grow, so of two readings of one counter the newer
/// says all that the older one did.
extension SpoolFile {
    /// Readings that one line takes with room to spare.
    private static let readingsInReport = 2000

    /// Puts readings of counters on disk. Beyond the reports that may have been sent, a newer reading takes the place of
    /// the older one of the same counter and epoch.
    ///
    /// What cannot be written leaves no gap: the next reading of the counters says it all.
    /// - Returns: the number of the last report.
    package func append(usage counters: [Usage.Counter], time: Timestamp) throws(SQLError) -> Int64 {
        let loose = try unsentUsage()
        let first = loose.first?.seq ?? following[.usage, default: 1]
        let readings = Self.newest(of: loose.flatMap(\.counters) + counters)
        // Never fewer reports than there were: what was distinct before is distinct still.
        let reports = stride(from: 0, to: readings.count, by: Self.readingsInReport).enumerated().map { index, start in
            let part = readings[start..<min(start + Self.readingsInReport, readings.count)]
            let seq = first + Int64(index)
            let usage = Usage(seq: seq, time: time.milliseconds, counters: Array(part))
            return SpooledReport(seq: seq, body: AgentMessage.usage(usage).bytes)
        }
        try add(reports, .usage, reports.map { _ in time }, replacing: loose.isEmpty ? nil : first)
        return following[.usage, default: 1] - 1
    }

    /// The reports at the end that no session can have seen: a session sends only so far ahead of what is stored, which
    /// holds over restarts, and this process knows what it has handed out itself.
    private func unsentUsage() throws(SQLError) -> [(seq: Int64, counters: [Usage.Counter])] {
        guard let oldest = try first(.usage) else { return [] }
        let from = max(oldest + ReplayCursor.reach, (handedOut[.usage] ?? 0) + 1)
        let sql = "SELECT seq, body FROM reports WHERE kind = ? AND seq >= ? ORDER BY seq"
        return try database.query(sql, [ReportKind.usage.rawValue, from]) { (row) throws(SQLError) in
            let seq = try row.integer()
            guard case .usage(let usage)? = try? AgentMessage(decoding: try row.blob()) else {
                throw SQLError(kind: .corrupt, message: "the usage report \(seq) cannot be read")
            }
            return (seq, usage.counters)
        }
    }

    private static func newest(of counters: [Usage.Counter]) -> [Usage.Counter] {
        struct Key: Hashable { let subject, meter, epoch: String }
        var places: [Key: Int] = [:]
        var newest: [Usage.Counter] = []
        for counter in counters {
            let key = Key(subject: counter.subject, meter: counter.meter, epoch: counter.epoch)
            if let place = places[key] {
                newest[place].value = max(newest[place].value, counter.value)
            } else {
                places[key] = newest.count
                newest.append(counter)
            }
        }
        return newest
    }
}
