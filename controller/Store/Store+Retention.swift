package import Model
import SQL

// What goes when its time is up: a bounded number of rows in each transaction, until nothing is left to do.

/// How far the removal of old operations has come.
package struct PruneRound: Sendable, Hashable {
    package struct Place: Sendable, Hashable {
        package var finishedAt: Timestamp
        package var operation: String
    }

    /// Rows that went.
    package var removed: Int
    /// Where to go on; nil for the beginning.
    package var next: Place?
    /// All have been looked at.
    package var isOver = false
}

extension Store {
    /// Kinds of findings that are raised by what nodes send, where nothing comes to say that it has stopped.
    package static var reportFindings: [String] {
        UsageAside.Reason.kinds + [
            "clock.ahead", "inventory.oversized", "facts.oversized", "metrics.sets", "queue.row_changed",
        ]
    }

    /// Removes operations that ended before `time`, with their journal, log, output and commands, about `limit` rows at
    /// most. Stay: what needs attention, and the newest operation of its kind of a service that is not terminated, since a
    /// repeated order is answered with it. Call it with the place that it returns until the round is over: what stays
    /// is looked at once.
    package func pruneOperations(
        before time: Timestamp, after place: PruneRound.Place? = nil, limit: Int = 5000
    ) throws(StoreError) -> PruneRound {
        let sql = """
            SELECT finished_at, id FROM operations WHERE finished_at < ? AND (finished_at, id) > (?, ?)
            ORDER BY finished_at, id LIMIT ?
            """
        let candidates = 500
        return try transaction { () throws(StoreError) in
            var round = PruneRound(removed: 0, next: place)
            let since: [any SQLBindable] = [
                time, place?.finishedAt ?? .init(milliseconds: -1), place?.operation ?? "",
            ]
            let ended = try rows(sql, since + [candidates]) { (row) throws(SQLError) in
                PruneRound.Place(finishedAt: try row.timestamp(), operation: try row.text())
            }
            for candidate in ended {
                if try isSpent(candidate.operation) {
                    round.removed += try prune(operation: candidate.operation, limit: limit - round.removed)
                    if round.removed >= limit { return round }
                }
                round.next = candidate
            }
            round.isOver = ended.count < candidates
            return round
        }
    }

    private func isSpent(_ operation: String) throws(StoreError) -> Bool {
        let sql = """
            SELECT 1 FROM operations WHERE id = ? AND state IN ('succeeded', 'failed', 'cancelled') AND (
                service IS NULL
                OR EXISTS (SELECT 1 FROM services WHERE services.id = operations.service AND state = 'terminated')
                OR EXISTS (SELECT 1 FROM operations newer WHERE newer.service = operations.service
                    AND newer.kind = operations.kind AND newer.position > operations.position
                    AND newer.finished_at IS NOT NULL))
            """
        return try row(sql, [operation]) { (row) throws(SQLError) in try row.integer() } != nil
    }

    /// An operation goes only after all of its lines.
    private func prune(operation: String, limit: Int) throws(StoreError) -> Int {
        var removed = 0
        for table in ["operation_log", "journal"] {
            let sql = """
                DELETE FROM \(table) WHERE operation = ? AND seq IN (
                    SELECT seq FROM \(table) WHERE operation = ? ORDER BY seq LIMIT ?)
                """
            removed += try run(sql, [operation, operation, limit - removed])
            if removed >= limit { return removed }
        }
        removed += try run("DELETE FROM operation_output WHERE operation = ?", [operation])
        removed += try run("DELETE FROM commands WHERE operation = ?", [operation])
        return removed + (try run("DELETE FROM operations WHERE id = ?", [operation]))
    }

    /// Removes what was written to the audit log before `time`. Returns how many.
    package func pruneAudit(before time: Timestamp, limit: Int = 5000) throws(StoreError) -> Int {
        let sql = "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE time < ? ORDER BY time LIMIT ?)"
        return try transaction { () throws(StoreError) in try run(sql, [time, limit]) }
    }

    /// Removes placements that ended before `time`: no usage of then comes any more. Returns how many.
    package func prunePlacements(before time: Timestamp, limit: Int = 5000) throws(StoreError) -> Int {
        let sql = """
            DELETE FROM placements WHERE (node, subject, since) IN (
                SELECT node, subject, since FROM placements WHERE until < ? ORDER BY until LIMIT ?)
            """
        return try transaction { () throws(StoreError) in try run(sql, [time, limit]) }
    }
}
