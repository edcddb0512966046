package import Model
import SQL

/// That a service had something on a node, under the name that the node's drivers call it by, from when to when. Rows
/// stay after the thing is gone: usage that was counted then may come later.
package struct Placement: Sendable, Hashable {
    package var node: String
    /// `docker/<container>`, `zfs/<dataset>`: the subject of the usage that counts for the service.
    package var subject: String
    package var service: String
    package var since: Timestamp
    /// Nil while it is so.
    package var until: Timestamp?
}

extension Store {
    /// From now on the usage that `node` counts for `subject` is the service's. The same again changes nothing; what
    /// another service had under this name ends.
    package func hold(
        _ subject: String, on node: String, for service: String, at time: Timestamp
    ) throws(StoreError) {
        try transaction { () throws(StoreError) in
            if let held = try holder(of: subject, on: node) {
                guard held.service != service else { return }
                try endHolding(held, at: time)
            }
            // A millisecond has room for one: the clock may have been set back.
            let sql = "SELECT max(since) FROM placements WHERE node = ? AND subject = ?"
            let last = try row(sql, [node, subject]) { (row) throws(SQLError) in try row.optionalInteger() } ?? nil
            let since = last.map { max(time, Timestamp(milliseconds: $0) + .milliseconds(1)) } ?? time
            try run(
                "INSERT INTO placements (node, subject, service, since) VALUES (?, ?, ?, ?)",
                [node, subject, service, since])
        }
    }

    private func holder(of subject: String, on node: String) throws(StoreError) -> Placement? {
        let sql = "\(Self.placementSelection) WHERE node = ? AND subject = ? AND until IS NULL"
        return try row(sql, [node, subject]) { (row) throws(SQLError) in try Placement(row: &row) }
    }

    private func endHolding(_ placement: Placement, at time: Timestamp) throws(StoreError) {
        try run(
            "UPDATE placements SET until = ? WHERE node = ? AND subject = ? AND since = ?",
            [max(time, placement.since), placement.node, placement.subject, placement.since])
    }

    /// What the service had is gone.
    func endHolding(service: String, at time: Timestamp) throws(StoreError) {
        let sql = "\(Self.placementSelection) WHERE service = ? AND until IS NULL"
        let held = try rows(sql, [service]) { (row) throws(SQLError) in try Placement(row: &row) }
        for placement in held { try endHolding(placement, at: time) }
    }

    /// Whose usage of `subject` it is that `node` counted at `time`. Clocks of nodes and controller differ a little: what
    /// was counted within `grace` before or after is taken for it too. Nil when it was nobody's then.
    func placement(
        of subject: String, on node: String, at time: Timestamp, grace: Duration
    ) throws(StoreError) -> Placement? {
        let sql = "\(Self.placementSelection) WHERE node = ? AND subject = ? AND since <= ? ORDER BY since DESC LIMIT 1"
        let found = try row(sql, [node, subject, time + grace]) { (row) throws(SQLError) in try Placement(row: &row)
        }
        guard let found else { return nil }
        if let until = found.until, time - until > grace { return nil }
        return found
    }

    /// Whether a service has, or had, something of this name on another node.
    func isPlacedElsewhere(_ subject: String, than node: String) throws(StoreError) -> Bool {
        let sql = "SELECT 1 FROM placements WHERE subject = ? AND node <> ? LIMIT 1"
        return try row(sql, [subject, node]) { (row) throws(SQLError) in try row.integer() } != nil
    }

    /// All that the service has had, oldest first.
    package func placements(service: String) throws(StoreError) -> [Placement] {
        let sql = "\(Self.placementSelection) WHERE service = ? ORDER BY since, node, subject"
        return try rows(sql, [service]) { (row) throws(SQLError) in try Placement(row: &row) }
    }

    private static var placementSelection: String { "SELECT node, subject, service, since, until FROM placements" }
}

extension Placement {
    fileprivate init(row: inout any SQLRow) throws(SQLError) {
        node = try row.text()
        subject = try row.text()
        service = try row.text()
        since = try row.timestamp()
        until = try row.optionalTimestamp()
    }
}
