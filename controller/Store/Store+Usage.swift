import Metering
package import Model
import SQL

/// What a service used of a meter within one window, as one node has counted it. The id follows from all of these.
package struct UsageWindow: Sendable, Hashable {
    package var id: String
    /// Nil for windows of a store from before nodes and services were kept with them.
    package var node: String?
    package var service: String?
    package var subject: String
    package var meter: String
    package var start: Timestamp
    /// An hour; a day or thirty where the node was silent for long.
    package var length: Duration
    package var amount: Int64
}

extension Store {
    /// How much usage may be kept and written.
    enum UsageLimits {
        /// Counters of one report that are taken in one transaction.
        static let counters = 2000
        /// Windows that one such part may write.
        static let windows = 8000
        /// Epochs of one meter that are remembered; the oldest goes first, and nothing from before it counts any more.
        static let epochs: Int64 = 64
        /// Counters that are remembered of one node, beyond which those of no service are not.
        static let remembered: Int64 = 20_000
    }

    /// Windows that each counter of a report of so many may be spread over.
    static func windowLimit(counters: Int) -> Int {
        min(UsageMeter.maximumWindows, max(2, UsageLimits.windows / max(counters, 1)))
    }

    /// Brings counters forward and adds what they grew to the windows of the service whose subject it is on this node, in
    /// the same transaction: what was counted once is never counted again. What belongs to nobody there, or cannot be, is
    /// set aside with a finding.
    func count(_ report: UsageReport, of node: String, at now: Timestamp) throws(StoreError) {
        let machine = try self.node(node)
        var round = UsageRound(
            node: node, time: report.time, cpuMillis: machine?.cpuMillis ?? 0, diskBytes: machine?.diskBytes ?? 0,
            windows: Self.windowLimit(counters: report.counters.count))
        for counter in report.counters {
            guard counter.value >= 0 else { throw .invalid("the counter \(counter.meter) of \(node) is negative") }
            try count(counter, &round)
        }
        for finding in round.aside.findings(node: node, name: machine?.name ?? node) { try raise(finding, at: now) }
    }

    private func count(_ counter: UsageReport.Counter, _ round: inout UsageRound) throws(StoreError) {
        guard counter.isShort else { return round.aside.note(.oversized, counter) }
        let known = try self.counter(round.node, counter)
        if let known, counter.value <= known.value {
            // Late and repeated reports are lower too, but not newer.
            if counter.value < known.value, known.time < round.time.milliseconds {
                round.aside.note(.backwards, counter)
            }
            return
        }
        let placed = try placement(
            of: counter.subject, on: round.node, at: round.time, grace: .milliseconds(MeterCeiling.slack))
        guard let placed else { return try setAside(counter, known, &round) }
        guard let since = try start(of: counter, known, placed, round) else {
            return round.aside.note(.late, counter)
        }
        let ceiling = MeterCeiling(meter: counter.meter, cpuMillis: round.cpuMillis, diskBytes: round.diskBytes)
        let elapsed = round.time.milliseconds.subtractingReportingOverflow(since).partialValue
        guard counter.value - max(known?.value ?? 0, 0) <= ceiling.amount(in: elapsed) else {
            // Not brought forward: the next true reading is counted from the last true one.
            return round.aside.note(.impossible, counter, service: placed.service)
        }
        let reading = CounterReading(epoch: counter.epoch, value: counter.value, time: round.time.milliseconds)
        for share in UsageMeter.shares(previous: known, reading: reading, limit: round.windows) {
            try add(share, counter, placed, ceiling, &round)
        }
        try remember(counter, round)
    }

    /// It may become somebody's: then only what it grows from now on counts.
    private func setAside(
        _ counter: UsageReport.Counter, _ known: CounterReading?, _ round: inout UsageRound
    ) throws(StoreError) {
        let isElsewhere = try isPlacedElsewhere(counter.subject, than: round.node)
        round.aside.note(isElsewhere ? .elsewhere : .strangers, counter)
        if known == nil {
            if round.remembered == nil { round.remembered = try countOfCounters(round.node) }
            guard let count = round.remembered, count < UsageLimits.remembered else { return }
            round.remembered = count + 1
        }
        try remember(counter, round)
    }

    private func countOfCounters(_ node: String) throws(StoreError) -> Int64 {
        let sql = "SELECT count(*) FROM usage_counters WHERE node = ?"
        return try row(sql, [node]) { (row) throws(SQLError) in try row.integer() } ?? 0
    }

    /// From when the counter's growth can be. Nil when its epoch is older than all that are remembered.
    private func start(
        of counter: UsageReport.Counter, _ known: CounterReading?, _ placed: Placement, _ round: UsageRound
    ) throws(StoreError) -> Int64? {
        if let known { return known.time }
        let sql = """
            SELECT count(*), coalesce(min(time), 0), coalesce(max(time), 0) FROM usage_counters
            WHERE node = ? AND subject = ? AND meter = ?
            """
        let key: [any SQLBindable] = [round.node, counter.subject, counter.meter]
        let epochs = try row(sql, key) { (row) throws(SQLError) in
            (count: try row.integer(), oldest: try row.integer(), newest: try row.integer())
        }
        guard let epochs, epochs.count > 0 else { return placed.since.milliseconds }
        if epochs.count >= UsageLimits.epochs {
            guard round.time.milliseconds > epochs.oldest else { return nil }
            let oldest = """
                DELETE FROM usage_counters WHERE node = ? AND subject = ? AND meter = ? AND epoch IN (
                    SELECT epoch FROM usage_counters WHERE node = ? AND subject = ? AND meter = ?
                    ORDER BY time, epoch LIMIT 1)
                """
            try run(oldest, key + key)
        }
        // One epoch ends before the next begins.
        return max(placed.since.milliseconds, min(epochs.newest, round.time.milliseconds))
    }

    private func counter(_ node: String, _ counter: UsageReport.Counter) throws(StoreError) -> CounterReading? {
        let rest = "WHERE node = ? AND subject = ? AND meter = ? AND epoch = ?"
        return try first(UsageRecord.self, rest, [node, counter.subject, counter.meter, counter.epoch]).map {
            CounterReading(epoch: $0.epoch, value: $0.value, time: $0.time.milliseconds)
        }
    }

    private func remember(_ counter: UsageReport.Counter, _ round: UsageRound) throws(StoreError) {
        try upsert(
            UsageRecord(
                node: round.node, subject: counter.subject, meter: counter.meter, epoch: counter.epoch,
                value: counter.value, time: round.time))
    }

    private func add(
        _ share: UsageShare, _ counter: UsageReport.Counter, _ placed: Placement, _ ceiling: MeterCeiling,
        _ round: inout UsageRound
    ) throws(StoreError) {
        let id = UsageMeter.windowID(
            node: round.node, subject: counter.subject, service: placed.service, meter: counter.meter, share: share)
        let sql = "SELECT amount FROM usage_windows WHERE id = ?"
        let known = try row(sql, [id]) { (row) throws(SQLError) in try row.integer() } ?? 0
        // SQL would turn a sum past the largest integer into a fraction; many epochs must not get past the ceiling.
        let (sum, isOver) = known.addingReportingOverflow(share.amount)
        let most = ceiling.amount(in: share.length)
        if isOver || sum > most { round.aside.note(.impossible, counter, service: placed.service) }
        let upsert = """
            INSERT INTO usage_windows (id, node, service, subject, meter, start, length, amount)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET amount = excluded.amount
            """
        try run(
            upsert,
            [
                id, round.node, placed.service, counter.subject, counter.meter, share.window, share.length,
                isOver ? max(known, most) : max(known, min(sum, most)),
            ])
    }
}

/// What one report needs while it is counted.
private struct UsageRound {
    let node: String
    let time: Timestamp
    let cpuMillis: Int64
    let diskBytes: Int64
    /// The most windows of one counter.
    let windows: Int
    /// How many counters are remembered of the node; nil until somebody had to know.
    var remembered: Int64?
    var aside = UsageAside()
}

extension UsageReport.Counter {
    fileprivate var isShort: Bool {
        subject.utf8.count <= 256 && meter.utf8.count <= 64 && epoch.utf8.count <= 128
    }
}

extension Store {
    /// The newest value of every counter of a subject, by meter and epoch.
    package func usageCounters(subject: String) throws(StoreError) -> [UsageRecord] {
        try select(UsageRecord.self, "WHERE subject = ? ORDER BY meter, time, epoch", [subject])
    }

    /// Windows that start in `from..<to`, oldest first.
    package func usageWindows(
        subject: String, from: Timestamp, to: Timestamp
    ) throws(StoreError) -> [UsageWindow] {
        try usageWindows("subject", subject, from, to)
    }

    /// The same of all that a service had, on every node where it was.
    package func usageWindows(
        service: String, from: Timestamp, to: Timestamp
    ) throws(StoreError) -> [UsageWindow] {
        try usageWindows("service", service, from, to)
    }

    private func usageWindows(
        _ column: String, _ value: String, _ from: Timestamp, _ to: Timestamp
    ) throws(StoreError) -> [UsageWindow] {
        let sql = """
            SELECT id, node, service, subject, meter, start, length, amount FROM usage_windows
            WHERE \(column) = ? AND start >= ? AND start < ? ORDER BY start, meter, node, subject, length
            """
        return try rows(sql, [value, from, to]) { (row) throws(SQLError) in
            UsageWindow(
                id: try row.text(), node: try row.optionalText(), service: try row.optionalText(),
                subject: try row.text(), meter: try row.text(), start: try row.timestamp(),
                length: .milliseconds(try row.integer()), amount: try row.integer())
        }
    }

    /// Removes counters that have not grown since `time` and will not be asked for again: a newer epoch has taken their
    /// place, what they count is nobody's on that node now, or the node is gone. Returns how many.
    package func pruneUsageCounters(before time: Timestamp, limit: Int = 1000) throws(StoreError) -> Int {
        let sql = """
            DELETE FROM usage_counters WHERE (node, subject, meter, epoch) IN (
                SELECT node, subject, meter, epoch FROM usage_counters old WHERE time < ? AND (
                    EXISTS (SELECT 1 FROM usage_counters newer WHERE newer.node = old.node
                        AND newer.subject = old.subject AND newer.meter = old.meter AND newer.time > old.time)
                    OR NOT EXISTS (SELECT 1 FROM placements WHERE placements.node = old.node
                        AND placements.subject = old.subject AND placements.until IS NULL)
                    OR NOT EXISTS (SELECT 1 FROM nodes WHERE nodes.id = old.node))
                LIMIT ?)
            """
        return try transaction { () throws(StoreError) in try run(sql, [time, limit]) }
    }
}
