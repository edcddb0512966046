import Model
import WireProtocol

extension Store {
    private static let tooManySets = "the node has more series sets than are kept"

    /// Says that samples of sets that were not learnt are not stored, so that nobody takes them for stored.
    func passOver(_ rows: [SampleRow], of node: String, at time: Timestamp) throws(StoreError) {
        guard !rows.isEmpty else { return }
        for row in rows.sorted(by: { $0.seq < $1.seq }) { try passOver(row, of: node) }
        let name = try self.node(node)?.name ?? node
        try raise(
            Finding(
                "metrics.sets", subject: "node/\(node)", .warning, node: node,
                summary: "Node \(name) names what it measures anew so often that new figures are not kept.",
                remedy:
                    "See what comes and goes there all the time; a shorter retention of metrics makes room for new names.",
                data: ["sets": .integer(Int64(try series.count(of: node)))]), at: time)
    }

    /// The gap before it grows, where it is of the same kind: a node that goes on like this makes no row with each sample.
    private func passOver(_ sample: SampleRow, of node: String) throws(StoreError) {
        let kind = IntakeStream.metrics.rawValue
        let newest = "SELECT id FROM gaps WHERE node = ? AND kind = ? ORDER BY from_seq DESC LIMIT 1"
        let sql = """
            UPDATE gaps SET to_seq = ?, to_time = CASE WHEN to_time < ? THEN ? ELSE to_time END
            WHERE id = (\(newest)) AND reason = ? AND to_seq = ?
            """
        let time = sample.time.milliseconds
        let grown = try run(sql, [sample.seq, time, time, node, kind, Self.tooManySets, sample.seq - 1])
        guard grown == 0 else { return }
        try insert(
            GapRecord(
                id: Identifier.make("gap"), node: node, kind: kind, fromSeq: sample.seq, toSeq: sample.seq,
                fromTime: sample.time, toTime: sample.time, reason: Self.tooManySets))
    }
}
