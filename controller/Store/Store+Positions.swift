import Metering
package import Model
import SQL
import WireProtocol

/// One numbered stream of one node.
struct LedgerKey: Hashable {
    let node: String
    let stream: IntakeStream
}

/// The ledgers in use, and which of them differ from their rows.
struct Ledgers {
    var known: [LedgerKey: SequenceLedger] = [:]
    var changed: Set<LedgerKey> = []
}

extension Store {
    /// What may be acknowledged to the node.
    package func positions(node: String) throws(StoreError) -> Positions {
        Positions(
            metrics: try ledger(node, .metrics).position, usage: try ledger(node, .usage).position,
            events: try ledger(node, .events).position)
    }

    /// A node connects with the journal `epoch` and says what of each stream it still holds. Call it before data comes.
    /// A journal of another name is a new one that counts from 1; of the same one, what lies below is stored or lost. What
    /// is lost is recorded as a gap, from when the node was last seen until `now`.
    package func openJournal(
        node: String, epoch: String, held: [IntakeStream: ClosedRange<Int64>] = [:], at now: Timestamp
    ) throws(StoreError) -> Positions {
        // What waits for its commit has numbers of the old count.
        while commitIntake(of: node) {}
        do throws(StoreError) {
            return try transaction { () throws(StoreError) in
                let last = try agentJournal(of: node)
                let since = min(try self.node(node)?.lastSeen ?? now, now)
                if last != epoch { try setSetting(Self.journalSetting(node), epoch) }
                let isNew = last != nil && last != epoch
                if isNew { try recordNewJournal(node, since...now) }
                for stream in IntakeStream.allCases {
                    var ledger = last == epoch ? try ledger(node, stream) : SequenceLedger(position: 0)
                    for hole in held[stream].map({ ledger.settle(from: $0.lowerBound) }) ?? [] where !isNew {
                        try recordLoss(hole, of: stream, node, since...now)
                    }
                    set(ledger, node, stream)
                }
                try writeLedgers()
                return try positions(node: node)
            }
        } catch {
            forgetLedgers()
            throw error
        }
    }

    static let lossReason = "acknowledged once and not in this store"

    private func recordLoss(
        _ seqs: ClosedRange<Int64>, of stream: IntakeStream, _ node: String, _ times: ClosedRange<Timestamp>
    ) throws(StoreError) {
        try insert(
            GapRecord(
                id: Identifier.make("gap"), node: node, kind: stream.rawValue, fromSeq: seqs.lowerBound,
                toSeq: seqs.upperBound, fromTime: times.lowerBound, toTime: times.upperBound, reason: Self.lossReason))
    }

    /// Nobody knows how much the lost journal held that had not been sent.
    private func recordNewJournal(_ node: String, _ times: ClosedRange<Timestamp>) throws(StoreError) {
        for stream in IntakeStream.allCases {
            try insert(
                GapRecord(
                    id: Identifier.make("gap"), node: node, kind: stream.rawValue, fromSeq: 0, toSeq: 0,
                    fromTime: times.lowerBound, toTime: times.upperBound,
                    reason: "the node has a new journal; what it had not sent may be lost"))
        }
    }

    /// The name of the node's journal as it last connected; nil before its first session.
    package func agentJournal(of node: String) throws(StoreError) -> String? { try setting(Self.journalSetting(node)) }

    /// Nodes come and go; what is remembered of one goes with it.
    func forgetJournal(of node: String) throws(StoreError) {
        try run("DELETE FROM settings WHERE name = ?", [Self.journalSetting(node)])
        for stream in IntakeStream.allCases {
            let key = LedgerKey(node: node, stream: stream)
            ledgers.known[key] = nil
            ledgers.changed.remove(key)
        }
        seriesNumbers = seriesNumbers.filter { $0.key.node != node }
        seriesUses[node] = nil
    }

    private static func journalSetting(_ node: String) -> String { "journal.\(node)" }

    func isNew(_ seq: Int64, _ node: String, _ stream: IntakeStream) throws(StoreError) -> Bool {
        var ledger = try ledger(node, stream)
        guard ledger.insert(seq) else { return false }
        set(ledger, node, stream)
        return true
    }

    /// Whether the number has neither come nor been given up.
    func isMissing(_ seq: Int64, _ node: String, _ stream: IntakeStream) throws(StoreError) -> Bool {
        try !ledger(node, stream).missing(in: seq...seq).isEmpty
    }

    /// Waits no more for these numbers. Returns those of them that had not come.
    func skip(
        _ seqs: ClosedRange<Int64>, _ node: String, _ stream: IntakeStream
    ) throws(StoreError) -> [ClosedRange<Int64>] {
        var ledger = try ledger(node, stream)
        defer { set(ledger, node, stream) }
        let missing = ledger.missing(in: seqs)
        ledger.skip(seqs)
        return missing
    }

    private func set(_ ledger: SequenceLedger, _ node: String, _ stream: IntakeStream) {
        let key = LedgerKey(node: node, stream: stream)
        ledgers.known[key] = ledger
        ledgers.changed.insert(key)
    }

    private func ledger(_ node: String, _ stream: IntakeStream) throws(StoreError) -> SequenceLedger {
        let key = LedgerKey(node: node, stream: stream)
        if let ledger = ledgers.known[key] { return ledger }
        let sql = "SELECT position, beyond FROM positions WHERE node = ? AND stream = ?"
        let ledger = try row(sql, [node, stream.rawValue]) { (row) throws(SQLError) in
            SequenceLedger(position: try row.optionalInteger(), beyond: try row.ranges())
        }
        ledgers.known[key] = ledger ?? SequenceLedger()
        return ledger ?? SequenceLedger()
    }

    /// One node's ledgers, to go back to when its report fails.
    func ledgers(of node: String) throws(StoreError) -> [LedgerKey: SequenceLedger] {
        var mine: [LedgerKey: SequenceLedger] = [:]
        for stream in IntakeStream.allCases { mine[LedgerKey(node: node, stream: stream)] = try ledger(node, stream) }
        return mine
    }

    func restore(_ before: [LedgerKey: SequenceLedger]) { ledgers.known.merge(before) { $1 } }

    func writeLedgers() throws(StoreError) {
        let sql = """
            INSERT INTO positions (node, stream, position, beyond) VALUES (?, ?, ?, ?)
            ON CONFLICT (node, stream) DO UPDATE SET position = excluded.position, beyond = excluded.beyond
            """
        for key in ledgers.changed {
            guard let ledger = ledgers.known[key] else { continue }
            try run(sql, [key.node, key.stream.rawValue, ledger.position, ledger.beyond.columnText])
        }
        ledgers.changed = []
    }

    /// After a rollback the rows are right and the memory is not.
    func forgetLedgers() {
        ledgers = Ledgers()
        (seriesNumbers, seriesUses) = ([:], [:])
    }
}

extension [ClosedRange<Int64>] {
    /// Pairs of numbers, flat.
    fileprivate var columnText: String {
        JSONValue.array(flatMap { [.integer($0.lowerBound), .integer($0.upperBound)] }).text
    }
}

extension SQLRow {
    fileprivate mutating func ranges() throws(SQLError) -> [ClosedRange<Int64>] {
        guard case .array(let items) = try json(), items.count.isMultiple(of: 2) else {
            throw .unreadable("a position holds no ranges")
        }
        var ranges: [ClosedRange<Int64>] = []
        for index in stride(from: 0, to: items.count, by: 2) {
            guard let low = items[index].asInteger, let high = items[index + 1].asInteger, low <= high,
                low > ranges.last?.upperBound ?? .min
            else { throw .unreadable("a position holds no ranges") }
            ranges.append(low...high)
        }
        return ranges
    }
}
