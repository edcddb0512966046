package import Model
import SQLite

extension Store {
    func insert(_ event: NodeEventReport, of node: String) throws(StoreError) {
        let record = EventRecord(
            id: Identifier.make("ev"), node: node, seq: event.seq, time: event.time, driver: event.driver,
            resource: event.resource, kind: event.kind, data: event.data)
        try insert(record)
        note(.event, record.id, node: node)
    }

    /// Records what will never come. The same gap again changes nothing, and what came before its gap is no part of it.
    func insert(_ gap: GapReport, of node: String) throws(StoreError) {
        // The node knows better than what its absence looked like.
        let guesses = try rows(
            "DELETE FROM gaps WHERE node = ? AND kind = ? AND reason = ? AND from_seq >= ? AND to_seq <= ? RETURNING from_seq, to_seq",
            [node, gap.stream.rawValue, Self.lossReason, gap.seqs.lowerBound, gap.seqs.upperBound]
        ) { (row) throws(SQLiteError) in try row.integer()...row.integer() }
        for seqs in try guesses + skip(gap.seqs, node, gap.stream) {
            try insert(
                GapRecord(
                    id: Identifier.make("gap"), node: node, kind: gap.stream.rawValue, fromSeq: seqs.lowerBound,
                    toSeq: seqs.upperBound, fromTime: gap.from, toTime: gap.to, reason: gap.reason))
        }
    }

    func insert(_ gap: GapRecord) throws(StoreError) {
        try run("\(GapRecord.insertion) ON CONFLICT DO NOTHING", gap.values)
    }

    package func events(
        node: String? = nil, resource: String? = nil, page request: PageRequest = PageRequest(order: .descending)
    ) throws(StoreError) -> Page<EventRecord> {
        var conditions = Conditions()
        conditions.equal("node", node)
        conditions.equal("resource", resource)
        return try page(EventRecord.self, conditions, request, cursor: \.id)
    }

    package func event(_ id: String) throws(StoreError) -> EventRecord? {
        try first(EventRecord.self, "WHERE id = ?", [id])
    }

    package func gaps(
        node: String? = nil, page request: PageRequest = PageRequest(order: .descending)
    ) throws(StoreError) -> Page<GapRecord> {
        var conditions = Conditions()
        conditions.equal("node", node)
        return try page(GapRecord.self, conditions, request, cursor: \.id)
    }

    /// Removes the oldest events that are from before `time`. Returns how many.
    package func pruneEvents(before time: Timestamp, limit: Int = 5000) throws(StoreError) -> Int {
        let sql = "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE time < ? ORDER BY time LIMIT ?)"
        return try transaction { () throws(StoreError) in try run(sql, [time, limit]) }
    }
}
