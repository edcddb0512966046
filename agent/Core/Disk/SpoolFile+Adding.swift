package import Model
package import SQL
import SQLite
import WireProtocol

extension SpoolFile {
    /// Puts a report on disk under its kind's next number and makes room for it.
    /// - Parameters:
    ///   - series: the names that the report counts on, where they are not on disk yet: they get there with it or not at all.
    ///   - encode: the line for a number.
    package func append(
        _ kind: ReportKind, time: Timestamp, defining series: SpooledSeries? = nil,
        encode: @Sendable (Int64) -> [UInt8]
    ) throws(SQLError) -> SpooledReport {
        try append(kind, times: [time], defining: series) { seq, _ in encode(seq) }[0]
    }

    /// Puts reports on disk in one transaction, which costs one sync however many they are. When they cannot be written
    /// they have used up their numbers and leave a gap.
    /// - Parameters:
    ///   - times: one for each report.
    ///   - encode: the line for a number and a place in `times`.
    package func append(
        _ kind: ReportKind, times: [Timestamp], defining series: SpooledSeries? = nil,
        encode: @Sendable (Int64, Int) -> [UInt8]
    ) throws(SQLError) -> [SpooledReport] {
        guard let earliest = times.min(), let latest = times.max() else { return [] }
        let first = following[kind, default: 1]
        let reports = times.indices.map { index in
            SpooledReport(seq: first + Int64(index), body: encode(first + Int64(index), index))
        }
        do throws(SQLError) { try add(reports, kind, times, defining: series) } catch {
            let seqs = first...(first + Int64(times.count) - 1)
            let reason = "the spool could not be written"
            miss(SpoolGap(kind: kind, seqs: seqs, times: earliest...latest, reason: reason))
            throw error
        }
        return reports
    }

    /// Gives numbers to reports that were lost before they came here, so that the controller hears of a gap.
    /// - Parameter count: at least 1.
    package func lose(
        _ kind: ReportKind, count: Int64, times: ClosedRange<Timestamp>, reason: String
    ) throws(SQLError) {
        let first = following[kind, default: 1]
        miss(SpoolGap(kind: kind, seqs: first...(first + max(count, 1) - 1), times: times, reason: reason))
        try add([], kind, [])
    }

    /// Writes the gaps that are owed and the reports, all or nothing. A gap waits for no report of its own kind: the next
    /// event may be days away.
    /// - Parameter first: everything of the kind from this number on is replaced.
    func add(
        _ reports: [SpooledReport], _ kind: ReportKind, _ times: [Timestamp], replacing first: Int64? = nil,
        defining series: SpooledSeries? = nil
    ) throws(SQLError) {
        let before = budget
        do throws(SQLError) {
            try database.transaction { () throws(SQLError) in
                for kind in ReportKind.allCases {
                    guard let gap = missed[kind] else { continue }
                    try record(gap)
                    try use(gap.seqs.upperBound, of: kind)
                }
                if let first { try remove(kind, "seq >= ?", first) }
                if let series, let report = reports.first { try define(series, from: report.seq) }
                for (report, time) in zip(reports, times) { try insert(report, kind, time) }
                try use(max(reports.last?.seq ?? 0, following[kind, default: 1] - 1), of: kind)
                if let time = times.max() { try database.run("UPDATE life SET time = ?", [time.milliseconds]) }
                while let (kind, bytes) = budget.excess() { try evict(kind, bytes) }
            }
        } catch {
            budget = before
            throw error
        }
        missed = [:]
        if let last = reports.last { following[kind] = last.seq + 1 }
        tell()
    }

    /// One gap a kind is kept in memory: what is missed until the disk takes writes is one run of numbers.
    private func miss(_ gap: SpoolGap) {
        var gap = gap
        following[gap.kind] = gap.seqs.upperBound + 1
        if let earlier = missed[gap.kind] {
            let first = min(earlier.times.lowerBound, gap.times.lowerBound)
            gap = SpoolGap(
                kind: gap.kind, seqs: earlier.seqs.lowerBound...gap.seqs.upperBound,
                times: first...max(earlier.times.upperBound, gap.times.upperBound), reason: earlier.reason)
        }
        missed[gap.kind] = gap
    }
}

extension AgentMessage {
    /// The line without its newline.
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        encode(into: &bytes)
        return bytes
    }
}
