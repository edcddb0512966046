import Model
import SQL
import SQLite

extension SpoolFile {
    /// The body of a report is its line; its number counts from the column, since a new epoch numbers anew.
    static let schema = """
        CREATE TABLE IF NOT EXISTS about (epoch TEXT NOT NULL, journal TEXT NOT NULL);
        CREATE TABLE IF NOT EXISTS reports (
            kind INTEGER, seq INTEGER, time INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (kind, seq)
        ) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS numbers (kind INTEGER PRIMARY KEY, used INTEGER NOT NULL);
        CREATE TABLE IF NOT EXISTS gaps (
            kind INTEGER, first_seq INTEGER, last_seq INTEGER NOT NULL, first_time INTEGER NOT NULL,
            last_time INTEGER NOT NULL, reason TEXT NOT NULL, told INTEGER NOT NULL DEFAULT 0,
            PRIMARY KEY (kind, first_seq)
        ) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS life (ended INTEGER NOT NULL, time INTEGER NOT NULL);
        """

    static func epoch(of database: SQLiteDatabase, journal: String) throws(SQLError) -> String {
        let about = try database.first("SELECT epoch, journal FROM about") { (row) throws(SQLError) in
            (epoch: try row.text(), journal: try row.text())
        }
        if let about, about.journal == journal { return about.epoch }
        if about != nil { try renumber(database) }
        let epoch = Identifier.make("epoch")
        try database.run("DELETE FROM about")
        try database.run("INSERT INTO about VALUES (?, ?)", [epoch, journal])
        return epoch
    }

    /// Numbers the reports from 1. A gap goes: nobody can place it in the new numbers, and it was lost before this epoch.
    private static func renumber(_ database: SQLiteDatabase) throws(SQLError) {
        try database.execute("DELETE FROM gaps; DELETE FROM numbers; DELETE FROM retired")
        for kind in ReportKind.allCases {
            let sql = "SELECT seq FROM reports WHERE kind = ? ORDER BY seq"
            let seqs = try database.query(sql, [kind.rawValue]) { (row) throws(SQLError) in try row.integer() }
            // In rising order, every new number is at or below the old one and free by then.
            for (index, seq) in seqs.enumerated() {
                let values: [any SQLBindable] = [index + 1, kind.rawValue, seq]
                try database.run("UPDATE reports SET seq = ? WHERE kind = ? AND seq = ?", values)
            }
            if !seqs.isEmpty { try database.run("INSERT INTO numbers VALUES (?, ?)", [kind.rawValue, seqs.count]) }
        }
    }

    static func sizes(_ database: SQLiteDatabase) throws(SQLError) -> [ReportKind: Int] {
        var sizes: [ReportKind: Int] = [:]
        for kind in ReportKind.allCases {
            let sql = "SELECT coalesce(sum(length(body)), 0) FROM reports WHERE kind = ?"
            sizes[kind] = try database.first(sql, [kind.rawValue]) { (row) throws(SQLError) in try row.int() }
        }
        return sizes
    }

    static func numbers(_ database: SQLiteDatabase) throws(SQLError) -> [ReportKind: Int64] {
        var numbers: [ReportKind: Int64] = [:]
        for kind in ReportKind.allCases {
            let used = try database.first("SELECT used FROM numbers WHERE kind = ?", [kind.rawValue]) {
                (row) throws(SQLError) in try row.integer()
            }
            numbers[kind] = (used ?? 0) + 1
        }
        return numbers
    }

    func insert(_ report: SpooledReport, _ kind: ReportKind, _ time: Timestamp) throws(SQLError) {
        let sql = "INSERT INTO reports (kind, seq, time, body) VALUES (?, ?, ?, ?)"
        try database.run(sql, [kind.rawValue, report.seq, time.milliseconds, report.body])
        budget.added(report.body.count, of: kind)
    }

    /// Remembers the last number that was given out.
    func use(_ seq: Int64, of kind: ReportKind) throws(SQLError) {
        let sql = "INSERT INTO numbers (kind, used) VALUES (?, ?) ON CONFLICT (kind) DO UPDATE SET used = excluded.used"
        try database.run(sql, [kind.rawValue, seq])
    }

    func first(_ kind: ReportKind) throws(SQLError) -> Int64? {
        let sql = "SELECT seq FROM reports WHERE kind = ? ORDER BY seq LIMIT 1"
        return try database.first(sql, [kind.rawValue]) { (row) throws(SQLError) in try row.integer() }
    }

    func firstGap(_ kind: ReportKind) throws(SQLError) -> Int64? {
        let sql = "SELECT first_seq FROM gaps WHERE kind = ? ORDER BY first_seq LIMIT 1"
        return try database.first(sql, [kind.rawValue]) { (row) throws(SQLError) in try row.integer() }
    }

    func remove(_ kind: ReportKind, _ condition: StaticString, _ seq: Int64) throws(SQLError) {
        let sql = "DELETE FROM reports WHERE kind = ? AND \(condition) RETURNING length(body)"
        let sizes = try database.query(sql, [kind.rawValue, seq]) { (row) throws(SQLError) in try row.int() }
        budget.removed(sizes.reduce(0, +), of: kind)
    }

    func openGaps() throws(SQLError) -> [SpoolGap] {
        let sql = """
            SELECT kind, first_seq, last_seq, first_time, last_time, reason FROM gaps
            WHERE told = 0 ORDER BY kind, first_seq
            """
        return try database.query(sql) { (row) throws(SQLError) in try Self.gap(&row) }
    }

    /// Drops the oldest reports of a kind until at least so many bytes are free, and records what is missing.
    func evict(_ kind: ReportKind, _ bytes: Int) throws(SQLError) {
        var freed = 0
        var dropped: [(seq: Int64, time: Timestamp)] = []
        while freed < bytes {
            let sql = "SELECT seq, time, length(body) FROM reports WHERE kind = ? ORDER BY seq LIMIT 1"
            let oldest = try database.first(sql, [kind.rawValue]) { (row) throws(SQLError) in
                (try row.integer(), try row.integer(), try row.int())
            }
            guard let (seq, time, size) = oldest else { break }
            try remove(kind, "seq = ?", seq)
            dropped.append((seq, Timestamp(milliseconds: time)))
            freed += size
            if kind == .metrics { freed += try dropNames() }
        }
        guard let first = dropped.first, let last = dropped.last else { return }
        let times = first.time...max(first.time, last.time)
        try record(SpoolGap(kind: kind, seqs: first.seq...last.seq, times: times, reason: "the spool was full"))
    }

    /// Lengthens the gap that the new one follows on, unless the controller was told of that one; else adds it.
    func record(_ gap: SpoolGap) throws(SQLError) {
        let longer = """
            UPDATE gaps SET last_seq = ?, last_time = ? WHERE kind = ? AND last_seq = ? AND reason = ? AND told = 0
            """
        let (first, last) = (gap.seqs.lowerBound, gap.seqs.upperBound)
        let (from, to) = (gap.times.lowerBound.milliseconds, gap.times.upperBound.milliseconds)
        guard try database.run(longer, [last, to, gap.kind.rawValue, first - 1, gap.reason]) == 0 else { return }
        let sql = """
            INSERT INTO gaps (kind, first_seq, last_seq, first_time, last_time, reason) VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (kind, first_seq) DO UPDATE SET last_seq = excluded.last_seq, last_time = excluded.last_time
            """
        try database.run(sql, [gap.kind.rawValue, first, last, from, to, gap.reason])
    }

    private static func gap(_ row: inout SQLiteRow) throws(SQLError) -> SpoolGap {
        guard let kind = ReportKind(rawValue: try row.int()) else {
            throw SQLError(kind: .corrupt, message: "a gap of an unknown kind")
        }
        let first = try row.integer(), last = try row.integer()
        let from = Timestamp(milliseconds: try row.integer()), to = Timestamp(milliseconds: try row.integer())
        return SpoolGap(
            kind: kind, seqs: first...max(first, last), times: from...max(from, to), reason: try row.text())
    }
}
