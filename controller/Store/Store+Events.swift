package import Model
import SQL

extension Store {
    func insert(_ event: NodeEventReport, of node: String) throws(StoreError) {
        let record = EventRecord(
            id: Identifier.make("ev"), node: node, seq: event.seq, time: event.time,
            driver: event.driver.capped(to: 64), resource: event.resource?.capped(to: 512),
            kind: event.kind.capped(to: 128), data: event.data.capped(to: 8 << 10))
        try insert(record)
        note(.event, record.id, node: node)
    }

    /// Records what will never come. The same gap again changes nothing, and what came before its gap is no part of it.
    func insert(_ gap: GapReport, of node: String) throws(StoreError) {
        // The node knows better than what its absence looked like.
        let guesses = try rows(
            "DELETE FROM gaps WHERE node = ? AND kind = ? AND reason = ? AND from_seq >= ? AND to_seq <= ? RETURNING from_seq, to_seq",
            [node, gap.stream.rawValue, Self.lossReason, gap.seqs.lowerBound, gap.seqs.upperBound]
        ) { (row) throws(SQLError) in try row.integer()...row.integer() }
        for seqs in try guesses + ledgers.skip(gap.seqs, node, gap.stream) {
            try insert(
                GapRecord(
                    id: Identifier.make("gap"), node: node, kind: gap.stream.rawValue, fromSeq: seqs.lowerBound,
                    toSeq: seqs.upperBound, fromTime: gap.from, toTime: gap.to, reason: gap.reason.capped(to: 512)))
        }
    }

    func insert(_ gap: GapRecord) throws(StoreError) {
        try run("\(GapRecord.insertion) ON CONFLICT DO NOTHING", gap.values)
    }

    /// - Parameter customer: only what a service of this customer had at the time, on the node that saw it.
    package func events(
        node: String? = nil, resource: String? = nil, kind: String? = nil, resources: [String]? = nil,
        customer: String? = nil, page request: PageRequest = PageRequest(order: .descending)
    ) throws(StoreError) -> Page<EventRecord> {
        var conditions = Conditions()
        conditions.equal("node", node)
        conditions.equal("resource", resource)
        conditions.equal("kind", kind)
        conditions.among("resource", resources)
        if let customer {
            conditions.add(
                """
                EXISTS (SELECT 1 FROM placements held JOIN services ON services.id = held.service
                    WHERE services.customer = ? AND held.node = events.node AND held.subject = events.resource
                        AND held.since <= events.time AND (held.until IS NULL OR events.time <= held.until))
                """, [customer])
        }
        return try page(EventRecord.self, conditions, request, cursor: \.id)
    }

    package func event(_ id: String) throws(StoreError) -> EventRecord? {
        try first(EventRecord.self, "WHERE id = ?", [id])
    }

    package func gaps(
        node: String? = nil, kind: String? = nil, page request: PageRequest = PageRequest(order: .descending)
    ) throws(StoreError) -> Page<GapRecord> {
        var conditions = Conditions()
        conditions.equal("node", node)
        conditions.equal("kind", kind)
        return try page(GapRecord.self, conditions, request, cursor: \.id)
    }

    /// Removes gaps that ended before `time`. Returns how many.
    package func pruneGaps(before time: Timestamp, limit: Int = 5000) throws(StoreError) -> Int {
        let sql = "DELETE FROM gaps WHERE id IN (SELECT id FROM gaps WHERE to_time < ? ORDER BY to_time LIMIT ?)"
        return try transaction { () throws(StoreError) in try run(sql, [time, limit]) }
    }

    /// Removes the oldest events that are from before `time`. Returns how many.
    package func pruneEvents(before time: Timestamp, limit: Int = 5000) throws(StoreError) -> Int {
        let sql = "DELETE FROM events WHERE id IN (SELECT id FROM events WHERE time < ? ORDER BY time LIMIT ?)"
        return try transaction { () throws(StoreError) in try run(sql, [time, limit]) }
    }
}
