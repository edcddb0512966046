package import Model
import SQL

extension Store {
    /// Gives one value back. False when nobody of this service held it.
    package func releaseAllocation(
        kind: String, scope: String, value: String, service: String, at time: Timestamp,
        by rules: AllocationRules = .standard
    ) throws(StoreError) -> Bool {
        try transaction { () throws(StoreError) in
            let held = "WHERE kind = ? AND scope = ? AND value = ? AND service = ? AND released_at IS NULL"
            guard let record = try first(AllocationRecord.self, held, [kind, scope, value, service]) else {
                return false
            }
            try release(record, at: time, by: rules)
            return true
        }
    }

    /// Gives everything back that the service holds, the reservation included. Only after the things are gone.
    package func releaseAll(
        service: String, at time: Timestamp, by rules: AllocationRules = .standard
    ) throws(StoreError) {
        try transaction { () throws(StoreError) in
            try endHolding(service: service, at: time)
            // What is gone cannot be otherwise than it should be.
            try resolve("service.drift", subject: "service/\(service)", by: "controller", at: time)
            for record in try allocations(service: service) { try release(record, at: time, by: rules) }
            try releaseReservation(service: service)
            try forgetIntegrations(of: service)
            try forgetDomains(of: service, at: time)
            try forgetBackups(of: service, at: time)
        }
    }

    /// A tool has said that somebody else has what the service holds: it is believed. Nobody gets the value for as long as
    /// one of its kind rests, and the service may take another one.
    package func disown(
        _ record: AllocationRecord, because note: String, at time: Timestamp, by rules: AllocationRules = .standard
    ) throws(StoreError) {
        try transaction { () throws(StoreError) in
            try end(record, at: time)
            let rest = max(rules.rest(of: record.kind), Self.foreignRest)
            try withhold(
                WithheldValue(
                    kind: record.kind, scope: record.scope, value: record.value, reason: .foreign, note: note,
                    since: time, until: time + rest))
        }
    }

    /// A stranger's thing is there for longer than a moment.
    private static var foreignRest: Duration { .seconds(86_400) }

    private func release(
        _ record: AllocationRecord, at time: Timestamp, by rules: AllocationRules
    ) throws(StoreError) {
        try end(record, at: time)
        let rest = rules.rest(of: record.kind)
        guard rest > .zero else { return }
        try withhold(
            WithheldValue(
                kind: record.kind, scope: record.scope, value: record.value, reason: .resting, since: time,
                until: time + rest))
    }

    private func end(_ record: AllocationRecord, at time: Timestamp) throws(StoreError) {
        try run(
            "UPDATE allocations SET released_at = ? WHERE kind = ? AND scope = ? AND value = ? AND created_at = ?",
            [max(time, record.createdAt), record.kind, record.scope, record.value, record.createdAt])
    }

    /// Removes what was given back before `time`. Returns how many.
    package func pruneAllocations(before time: Timestamp, limit: Int = 5000) throws(StoreError) -> Int {
        let sql = """
            DELETE FROM allocations WHERE (kind, scope, value, created_at) IN (
                SELECT kind, scope, value, created_at FROM allocations WHERE released_at < ?
                ORDER BY released_at LIMIT ?)
            """
        return try transaction { () throws(StoreError) in try run(sql, [time, limit]) }
    }
}
