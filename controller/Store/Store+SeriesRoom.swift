import Model
import SQL
import WireProtocol

/// What the series sets of one node take.
struct SeriesUse: Sendable, Hashable {
    var sets: Int
    /// Length of their names.
    var bytes: Int
}

/// How much that may become. A node makes a new set whenever what it measures changes, and a set stays as long as anything
/// that was measured with it: an ordinary node has some hundreds, one whose guests come and go all day some thousands.
package struct SeriesLimit: Sendable, Hashable {
    package var sets = 10_000
    package var bytes = 64 << 20
}

extension Store {
    private static let tooManySets = "the node has more series sets than are kept"

    /// Whether one more set of the node may be learnt.
    func hasSeriesRoom(_ node: String) throws(StoreError) -> Bool {
        let use = try seriesUse(of: node)
        return use.sets < seriesLimit.sets && use.bytes < seriesLimit.bytes
    }

    func countSeries(_ names: String, of node: String) throws(StoreError) {
        var use = try seriesUse(of: node)
        use.sets += 1
        use.bytes += names.utf8.count
        seriesUses[node] = use
    }

    private func seriesUse(of node: String) throws(StoreError) -> SeriesUse {
        if let use = seriesUses[node] { return use }
        let sql = "SELECT count(*), coalesce(sum(length(names)), 0) FROM metric_series WHERE node = ?"
        let use = try row(sql, [node]) { (row) throws(SQLError) in
            SeriesUse(sets: Int(try row.integer()), bytes: Int(try row.integer()))
        }
        seriesUses[node] = use ?? SeriesUse(sets: 0, bytes: 0)
        return use ?? SeriesUse(sets: 0, bytes: 0)
    }

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
                data: ["sets": .integer(Int64(try seriesUse(of: node).sets))]), at: time)
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
