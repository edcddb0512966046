package import Model
package import SQLite

/// A report on disk.
package struct SpooledReport: Sendable, Hashable {
    package let seq: Int64
    /// The message as one line of the wire, without the newline.
    package let body: [UInt8]
}

/// A run of reports that were dropped to make room.
package struct SpoolGap: Sendable, Hashable {
    package let kind: ReportKind
    package var seqs: ClosedRange<Int64>
    package var times: ClosedRange<Timestamp>
    package let reason: String
}

/// Metrics, usage and events on disk until the controller has stored them.
///
/// A power failure may take the last seconds; the file stays sound. Numbers start at the time of the file's making in
/// milliseconds, so a spool that was lost and made anew never uses a number again.
package actor SpoolFile {
    private nonisolated let thread: DiskThread
    let database: SQLiteDatabase
    var budget: SpoolBudget
    private(set) var following: [ReportKind: Int64] = [:]
    /// Reports that could not be written; recorded as a gap as soon as the disk takes writes again.
    private var missed: [ReportKind: SpoolGap] = [:]

    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    package init(path: String, limit: Int, thread: DiskThread, now: Timestamp) throws(SQLiteError) {
        self.thread = thread
        let options = SQLiteOptions(synchronous: .normal, quickCheck: true, cacheKiB: 256)
        let database = try SQLiteDatabase(path: path, options: options)
        self.database = database
        try database.execute(Self.schema)
        budget = SpoolBudget(limit: limit, bytes: try Self.sizes(database))
        following = try Self.numbers(database, now)
    }

    /// The state that a session starts from: the oldest number of each kind, and the one that comes next.
    package func extent(_ kind: ReportKind) throws(SQLiteError) -> (first: Int64?, following: Int64) {
        (try first(kind), following[kind, default: 0])
    }

    package func ranges() throws(SQLiteError) -> [ReportKind: ClosedRange<Int64>] {
        var ranges: [ReportKind: ClosedRange<Int64>] = [:]
        for kind in ReportKind.allCases {
            if let first = try first(kind), let next = following[kind], next > first {
                ranges[kind] = first...(next - 1)
            }
        }
        return ranges
    }

    /// Puts a report on disk under its kind's next number and makes room for it. One that cannot be written has used up
    /// its number and leaves a gap.
    /// - Parameter encode: the line for a number.
    package func append(
        _ kind: ReportKind, time: Timestamp, encode: @Sendable (Int64) -> [UInt8]
    ) throws(SQLiteError) -> SpooledReport {
        let seq = following[kind, default: 0]
        let body = encode(seq)
        let before = budget
        following[kind] = seq + 1
        do throws(SQLiteError) {
            try database.transaction { () throws(SQLiteError) in
                let sql = "INSERT INTO reports (kind, seq, time, body) VALUES (?, ?, ?, ?)"
                try database.run(sql, [kind.rawValue, seq, time.milliseconds, body])
                try use(seq, of: kind)
                budget.added(body.count, of: kind)
                if let missed = missed[kind] { try record(missed) }
                while let (kind, bytes) = budget.excess() { try evict(kind, bytes) }
            }
        } catch {
            budget = before
            miss(kind, seq, time)
            throw error
        }
        missed[kind] = nil
        return SpooledReport(seq: seq, body: body)
    }

    private func miss(_ kind: ReportKind, _ seq: Int64, _ time: Timestamp) {
        let gap = missed[kind]
        missed[kind] = SpoolGap(
            kind: kind, seqs: (gap?.seqs.lowerBound ?? seq)...seq,
            times: (gap?.times.lowerBound ?? time)...max(gap?.times.upperBound ?? time, time),
            reason: "the spool could not be written")
    }

    /// Reports of the range, oldest first.
    package func reports(_ kind: ReportKind, in range: Range<Int64>, limit: Int) throws(SQLiteError) -> [SpooledReport]
    {
        let sql = "SELECT seq, body FROM reports WHERE kind = ? AND seq >= ? AND seq < ? ORDER BY seq LIMIT ?"
        return try database.query(sql, [kind.rawValue, range.lowerBound, range.upperBound, limit]) {
            (row) throws(SQLiteError) in SpooledReport(seq: try row.integer(), body: try row.blob())
        }
    }

    /// Forgets reports that the controller has stored.
    package func forget(_ kind: ReportKind, _ seqs: [Int64], position: Int64) throws(SQLiteError) {
        guard !seqs.isEmpty else { return }
        let before = budget
        do throws(SQLiteError) {
            try database.transaction { () throws(SQLiteError) in
                for seq in seqs { try remove(kind, "seq = ?", seq) }
                try forgetGaps(kind, position)
            }
        } catch {
            budget = before
            throw error
        }
    }

    /// Forgets everything of a kind up to a position.
    package func forget(_ kind: ReportKind, through position: Int64) throws(SQLiteError) {
        try remove(kind, "seq <= ?", position)
        try forgetGaps(kind, position)
    }

    /// The gaps not told in this session; they count as told from now on.
    /// - Parameter anew: a session has just begun.
    package func untoldGaps(anew: Bool) throws(SQLiteError) -> [SpoolGap] {
        try database.transaction { () throws(SQLiteError) in
            if anew { try database.run("UPDATE gaps SET told = NULL") }
            let gaps = try openGaps()
            for kind in ReportKind.allCases {
                let sql = "UPDATE gaps SET told = ? WHERE kind = ? AND told IS NULL"
                try database.run(sql, [following[kind, default: 0], kind.rawValue])
            }
            return gaps
        }
    }

    /// Remembers the names of a series set as long as reports use them.
    package func define(_ set: String, _ line: [UInt8]) throws(SQLiteError) {
        try database.run("INSERT INTO series (name, line) VALUES (?, ?) ON CONFLICT DO NOTHING", [set, line])
    }

    package func definition(_ set: String) throws(SQLiteError) -> [UInt8]? {
        try database.first("SELECT line FROM series WHERE name = ?", [set]) { (row) throws(SQLiteError) in
            try row.blob()
        }
    }
}
