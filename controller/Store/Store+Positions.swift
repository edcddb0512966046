import Metering
package import Model
import WireProtocol

extension Store {
    /// What may be acknowledged to the node.
    package func positions(node: String) throws(StoreError) -> Positions {
        Positions(
            metrics: try ledgers[node, .metrics].position, usage: try ledgers[node, .usage].position,
            events: try ledgers[node, .events].position)
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
                    var ledger = last == epoch ? try ledgers[node, stream] : SequenceLedger(position: 0)
                    for hole in held[stream].map({ ledger.settle(from: $0.lowerBound) }) ?? [] where !isNew {
                        try recordLoss(hole, of: stream, node, since...now)
                    }
                    ledgers.put(ledger, node, stream)
                }
                try ledgers.write()
                return try positions(node: node)
            }
        } catch {
            forgetIntake()
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
        ledgers.forget(node)
        series.forget(node)
    }

    private static func journalSetting(_ node: String) -> String { "journal.\(node)" }
}
