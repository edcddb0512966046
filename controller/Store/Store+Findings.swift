package import Model
import SQL

extension Store {
    /// A finding that was resolved and is back within this time is the same one again: what comes and goes makes one row
    /// an hour, not thousands.
    private static let findingReturn: Duration = .seconds(3600)
    /// The same again is written down once in so long.
    package static let findingRest: Duration = .seconds(60)

    /// Tells that something is not as it should be. What is known already is brought up to date and stays acknowledged,
    /// unless it has become worse. Returns true when nobody knew of it.
    @discardableResult
    package func raise(_ finding: Finding, at time: Timestamp) throws(StoreError) -> Bool {
        let finding = finding.capped
        return try transaction { () throws(StoreError) in
            guard let known = try lastFinding(finding.kind, finding.subject), isSame(known, at: time) else {
                let record = FindingRecord(id: Identifier.make("fnd"), finding, at: time)
                try insert(record)
                noteFinding(record)
                return true
            }
            try bring(known, to: finding, at: time)
            return known.resolvedAt != nil
        }
    }

    private func lastFinding(_ kind: String, _ subject: String) throws(StoreError) -> FindingRecord? {
        let rest = "WHERE subject = ? AND kind = ? ORDER BY resolved_at IS NULL DESC, resolved_at DESC LIMIT 1"
        return try first(FindingRecord.self, rest, [subject, kind])
    }

    private func isSame(_ known: FindingRecord, at time: Timestamp) -> Bool {
        guard let end = known.resolvedAt else { return true }
        return time - end < Self.findingReturn
    }

    private func bring(_ known: FindingRecord, to finding: Finding, at time: Timestamp) throws(StoreError) {
        var record = FindingRecord(id: known.id, finding, at: time)
        record.since = known.since
        record.lastSeen = max(known.lastSeen, time)
        if known.resolvedAt == nil, finding.severity <= known.severity {
            (record.acknowledgedAt, record.acknowledgedBy, record.note) =
                (known.acknowledgedAt, known.acknowledgedBy, known.note)
        }
        var seen = known
        seen.lastSeen = record.lastSeen
        // Figures and examples change all the time: they alone are no news.
        (seen.summary, seen.remedy, seen.data) = (record.summary, record.remedy, record.data)
        if seen == record, time - known.lastSeen < Self.findingRest { return }
        try overwrite(record)
        if seen != record { noteFinding(record) }
    }

    /// What was wrong is right again. False when there was no such open finding.
    /// - Parameter by: who says so: a person, or the part of the controller that looked.
    @discardableResult
    package func resolve(
        _ kind: String, subject: String, by: String, at time: Timestamp
    ) throws(StoreError) -> Bool {
        try transaction { () throws(StoreError) in
            let rest = "WHERE kind = ? AND subject = ? AND resolved_at IS NULL"
            guard let known = try first(FindingRecord.self, rest, [kind, subject]) else { return false }
            try resolve(known, by: by, at: time)
            return true
        }
    }

    /// Kinds of the open findings of a subject.
    func openFindings(about subject: String) throws(StoreError) -> [String] {
        try select(FindingRecord.self, "WHERE subject = ? AND resolved_at IS NULL", [subject]).map(\.kind)
    }

    private func resolve(_ known: FindingRecord, by: String, at time: Timestamp) throws(StoreError) {
        var record = known
        (record.resolvedAt, record.resolvedBy) = (time, by)
        try overwrite(record)
        noteFinding(record)
    }

    private func noteFinding(_ record: FindingRecord) {
        note(.finding, record.id, service: record.service, node: record.node)
    }
}

extension Store {
    package func finding(_ id: String) throws(StoreError) -> FindingRecord? {
        try first(FindingRecord.self, "WHERE id = ?", [id])
    }

    package func findings(
        _ filter: FindingFilter = FindingFilter(), page request: PageRequest = PageRequest(order: .descending)
    ) throws(StoreError) -> Page<FindingRecord> {
        var conditions = Conditions()
        switch filter.state {
        case .open: conditions.add("resolved_at IS NULL AND acknowledged_at IS NULL", [])
        case .acknowledged: conditions.add("resolved_at IS NULL AND acknowledged_at IS NOT NULL", [])
        case .resolved: conditions.add("resolved_at IS NOT NULL", [])
        case nil: if !filter.withResolved { conditions.add("resolved_at IS NULL", []) }
        }
        conditions.equal("severity", filter.severity?.rawValue)
        conditions.equal("kind", filter.kind)
        conditions.equal("node", filter.node)
        conditions.equal("service", filter.service)
        if let customer = filter.customer { conditions.belongs(to: customer) }
        return try page(FindingRecord.self, conditions, request, cursor: \.id)
    }

    /// Somebody knows of it and need not be told again. Throws `wrongState` for one that is resolved.
    @discardableResult
    package func acknowledgeFinding(
        _ id: String, by: String, note: String? = nil, at time: Timestamp
    ) throws(StoreError) -> FindingRecord {
        try changeFinding(id) { record in
            (record.acknowledgedAt, record.acknowledgedBy) = (time, by)
            if let note { record.note = note }
        }
    }

    /// Somebody says that it is settled; if it is not, it is raised anew. Throws `wrongState` for one that is resolved.
    @discardableResult
    package func resolveFinding(
        _ id: String, by: String, note: String? = nil, at time: Timestamp
    ) throws(StoreError) -> FindingRecord {
        try changeFinding(id) { record in
            (record.resolvedAt, record.resolvedBy) = (time, by)
            if let note { record.note = note }
        }
    }

    private func changeFinding(
        _ id: String, _ change: (inout FindingRecord) -> Void
    ) throws(StoreError) -> FindingRecord {
        try transaction { () throws(StoreError) in
            guard var record = try finding(id) else { throw .notFound(kind: "finding", id: id) }
            guard record.resolvedAt == nil else { throw .wrongState(kind: "finding", id: id, state: "resolved") }
            change(&record)
            try overwrite(record)
            noteFinding(record)
            return record
        }
    }

    /// Resolves open findings of these kinds that nobody has seen since `time`, at most `limit` of them. For kinds that
    /// are raised by what comes in, where nothing comes to say that it has stopped. Returns how many.
    package func settleFindings(
        _ kinds: [String], unseenSince time: Timestamp, at now: Timestamp, limit: Int = 500
    ) throws(StoreError) -> Int {
        try transaction { () throws(StoreError) in
            var conditions = Conditions()
            conditions.add("resolved_at IS NULL AND last_seen < ?", [time])
            conditions.among("kind", kinds)
            let rest = "\(conditions.sql) ORDER BY last_seen LIMIT ?"
            let stale = try select(FindingRecord.self, rest, conditions.values + [limit])
            for record in stale { try resolve(record, by: "controller", at: now) }
            return stale.count
        }
    }

    /// A node that is gone has nothing wrong any more.
    func settleFindings(ofNode node: String, at time: Timestamp) throws(StoreError) {
        let open = try select(FindingRecord.self, "WHERE node = ? AND resolved_at IS NULL", [node])
        for record in open { try resolve(record, by: "controller", at: time) }
    }

    /// Removes findings that were resolved before `time`. Returns how many.
    package func pruneFindings(before time: Timestamp, limit: Int = 5000) throws(StoreError) -> Int {
        let sql = """
            DELETE FROM findings WHERE id IN (
                SELECT id FROM findings WHERE resolved_at < ? ORDER BY resolved_at LIMIT ?)
            """
        return try transaction { () throws(StoreError) in try run(sql, [time, limit]) }
    }
}

extension FindingRecord.Severity: Comparable {
    package static func < (left: Self, right: Self) -> Bool {
        (allCases.firstIndex(of: left) ?? 0) < (allCases.firstIndex(of: right) ?? 0)
    }
}

extension Finding {
    /// What a finding says may come from a node.
    fileprivate var capped: Finding {
        var capped = self
        capped.kind = kind.capped(to: 64)
        capped.subject = subject.capped(to: 256)
        capped.summary = summary.capped(to: 1024)
        capped.remedy = remedy.capped(to: 1024)
        capped.data = data.capped(to: 4096)
        return capped
    }
}
