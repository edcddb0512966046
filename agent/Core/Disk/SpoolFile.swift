package import Model
package import SQL
import SQLite
package import WireProtocol

/// A report on disk.
package struct SpooledReport: Sendable, Hashable {
    package let seq: Int64
    /// The message as one line of the wire, without the newline.
    package let body: [UInt8]
}

/// The names that reports of metrics count on.
package struct SpooledSeries: Sendable {
    package let set: String
    /// The message as one line of the wire, without the newline.
    package let line: [UInt8]
}

/// A run of reports that are lost: dropped to make room, or never written.
package struct SpoolGap: Sendable, Hashable {
    package let kind: ReportKind
    package var seqs: ClosedRange<Int64>
    package var times: ClosedRange<Timestamp>
    package let reason: String
}

/// Metrics, usage and events on disk until the controller has stored them.
///
/// Each kind is numbered from 1 without holes other than recorded gaps. A report is on disk before it is sent, so a number
/// never stands for two reports within an epoch.
package actor SpoolFile {
    private nonisolated let thread: any SerialExecutor
    let database: SQLiteDatabase
    private let tally: Tally
    var budget: SpoolBudget
    var following: [ReportKind: Int64] = [:]
    /// Reports that have a number and are not on disk; recorded as a gap as soon as the disk takes writes.
    var missed: [ReportKind: SpoolGap] = [:]
    /// The last report of each kind that this process has read in order to send it.
    private(set) var handedOut: [ReportKind: Int64] = [:]
    /// Identity of this numbering, and of what this node remembers at all: another one means that something was lost.
    package nonisolated let epoch: String

    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// - Parameters:
    ///   - limit: bytes that the reports may take.
    ///   - journal: the epoch of the journal of receipts. When it is another one than last time, the reports are numbered
    ///     anew under an epoch of their own, so that one epoch speaks for both files.
    package init(path: String, limit: Int, journal: String, thread: any SerialExecutor) throws(SQLError) {
        self.thread = thread
        let options = SQLiteOptions(synchronous: .full, quickCheck: true, cacheKiB: 256)
        let database = try SQLiteDatabase(path: path, options: options)
        self.database = database
        do throws(SQLError) {
            try database.keepLog(true)
            epoch = try database.transaction { () throws(SQLError) in
                try database.execute(Self.schema + Self.namesSchema)
                return try Self.epoch(of: database, journal: journal)
            }
            try database.addChecksums()
            budget = SpoolBudget(
                limit: limit, bytes: try Self.sizes(database), names: try Self.namesSize(database))
            let following = try Self.numbers(database)
            tally = Tally(of: path, epoch: epoch)
            self.following = following
            guard Self.given(following) >= tally.count else {
                throw SQLError(kind: .corrupt, message: "reports that were written are missing")
            }
            try database.keepLog(false)
        } catch { throw error.naming(path) }
    }

    /// How many numbers of all kinds were given out.
    private static func given(_ following: [ReportKind: Int64]) -> Int64 {
        following.values.reduce(0) { $0 + $1 - 1 }
    }

    func tell() { tally.write(Self.given(following)) }

    /// The state that a session starts from: the oldest number of each kind, and the one that comes next.
    package func extent(_ kind: ReportKind) throws(SQLError) -> (first: Int64?, following: Int64) {
        (try first(kind), following[kind, default: 0])
    }

    /// The numbers of each kind that the controller has still to be told of, as reports or as gaps. It takes what lies below
    /// for settled.
    package func ranges() throws(SQLError) -> [ReportKind: ClosedRange<Int64>] {
        var ranges: [ReportKind: ClosedRange<Int64>] = [:]
        for kind in ReportKind.allCases {
            let firsts = [try first(kind), try firstGap(kind), missed[kind]?.seqs.lowerBound]
            if let first = firsts.compactMap(\.self).min(), let next = following[kind], next > first {
                ranges[kind] = first...(next - 1)
            }
        }
        return ranges
    }

    /// The last number of each kind that was given out, 0 for none.
    package var used: Positions {
        func last(_ kind: ReportKind) -> Int64 { following[kind, default: 1] - 1 }
        return Positions(metrics: last(.metrics), usage: last(.usage), events: last(.events))
    }

    /// What a hello says, of one moment: a report that came between two looks would be told of as used and not held, which
    /// means lost.
    package func announcement() throws(SQLError) -> (held: [ReportKind: ClosedRange<Int64>], used: Positions) {
        (try ranges(), used)
    }

    /// Reports of the range, oldest first.
    package func reports(_ kind: ReportKind, in range: Range<Int64>, limit: Int) throws(SQLError) -> [SpooledReport] {
        let sql = "SELECT seq, body FROM reports WHERE kind = ? AND seq >= ? AND seq < ? ORDER BY seq LIMIT ?"
        let reports = try database.query(sql, [kind.rawValue, range.lowerBound, range.upperBound, limit]) {
            (row) throws(SQLError) in SpooledReport(seq: try row.integer(), body: try row.blob())
        }
        if let last = reports.last { handedOut[kind] = max(last.seq, handedOut[kind] ?? 0) }
        return reports
    }

    /// Forgets everything of a kind up to a position that the controller has stored.
    package func forget(_ kind: ReportKind, through position: Int64) throws(SQLError) {
        guard position < following[kind, default: 1] else { return }
        let before = budget
        do throws(SQLError) {
            try database.transaction { () throws(SQLError) in
                try remove(kind, "seq <= ?", position)
                if kind == .metrics { try dropNames() }
                try database.run("DELETE FROM gaps WHERE kind = ? AND last_seq <= ?", [kind.rawValue, position])
            }
        } catch {
            budget = before
            throw error
        }
    }

    /// The gaps not told in this session; they count as told from now on.
    /// - Parameter anew: a session has just begun.
    package func untoldGaps(anew: Bool) throws(SQLError) -> [SpoolGap] {
        try database.transaction { () throws(SQLError) in
            if anew { try database.run("UPDATE gaps SET told = 0") }
            let gaps = try openGaps()
            if !gaps.isEmpty { try database.run("UPDATE gaps SET told = 1 WHERE told = 0") }
            return gaps
        }
    }
}
