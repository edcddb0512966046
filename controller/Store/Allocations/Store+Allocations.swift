package import Model
import SQL

extension Store {
    /// Takes the first free candidate of the request.
    package func allocate(_ request: AllocationRequest, at time: Timestamp) throws(StoreError) -> AllocationRecord {
        try allocate(request, from: request.candidates, at: time)
    }

    /// Takes the first free candidate: held by nobody, withheld from nobody, and not seen at somebody else's where the
    /// request asks for that. A service that holds one of this kind in this scope for this slot gets the same again, so that
    /// a repeated step allocates nothing more. Throws `exhausted`.
    /// - Parameter candidates: in order of preference; no more are made than are looked at.
    package func allocate(
        _ request: AllocationRequest, from candidates: some Sequence<String>, at time: Timestamp
    ) throws(StoreError) -> AllocationRecord {
        try transaction { () throws(StoreError) in
            let held = "WHERE service = ? AND kind = ? AND scope = ? AND slot = ? AND released_at IS NULL"
            let values = [request.service, request.kind, request.scope, request.slot]
            if let record = try first(AllocationRecord.self, held, values) { return record }
            var rest = candidates.makeIterator()
            while true {
                var some: [String] = []
                while some.count < Self.candidatesAtOnce, let next = rest.next() { some.append(next) }
                let taken = try taken(of: some, request, at: time)
                for value in some where !taken.contains(value) {
                    if let record = try take(value, request, at: time) { return record }
                }
                if some.count < Self.candidatesAtOnce {
                    throw .exhausted(kind: request.kind, scope: request.scope)
                }
            }
        }
    }

    private static var candidatesAtOnce: Int { 64 }

    /// Nil when another one was quicker.
    private func take(
        _ value: String, _ request: AllocationRequest, at time: Timestamp
    ) throws(StoreError) -> AllocationRecord? {
        let sql = "SELECT max(created_at) FROM allocations WHERE kind = ? AND scope = ? AND value = ?"
        let last = try row(sql, [request.kind, request.scope, value]) { (row) throws(SQLError) in
            try row.optionalTimestamp()
        }
        // A millisecond has room for one holder: the clock may have been set back.
        let since = (last ?? nil).map { max(time, $0 + .milliseconds(1)) } ?? time
        let record = AllocationRecord(
            kind: request.kind, scope: request.scope, value: value, node: request.node, service: request.service,
            operation: request.operation, createdAt: since, slot: request.slot, nonce: request.nonce)
        let insertion = """
            \(AllocationRecord.insertion) ON CONFLICT (kind, scope, value) WHERE released_at IS NULL DO NOTHING
            """
        return try run(insertion, record.values) > 0 ? record : nil
    }

    private func taken(
        of values: [String], _ request: AllocationRequest, at time: Timestamp
    ) throws(StoreError) -> Set<String> {
        guard !values.isEmpty else { return [] }
        let marks = values.map { _ in "?" }.joined(separator: ", ")
        let sql = """
            SELECT value FROM allocations WHERE kind = ? AND scope = ? AND released_at IS NULL AND value IN (\(marks))
            UNION SELECT value FROM withheld_values
                WHERE kind = ? AND scope = ? AND (until IS NULL OR until > ?) AND value IN (\(marks))
            """
        let place: [any SQLBindable] = [request.kind, request.scope]
        let found = try rows(sql, place + values + place + [time] + values) { (row) throws(SQLError) in
            try row.text()
        }
        return Set(found).union(try seen(values, marks, request))
    }

    private func seen(
        _ values: [String], _ marks: String, _ request: AllocationRequest
    ) throws(StoreError) -> [String] {
        let (place, names): (String, [String])
        switch request.sightings {
        case .nowhere: return []
        case .node(let node): (place, names) = (" AND node = ?", [node])
        case .cluster(let name): (place, names) = (" AND node IN (SELECT id FROM nodes WHERE cluster = ?)", [name])
        case .everywhere: (place, names) = ("", [])
        }
        let sql = """
            SELECT DISTINCT value FROM sightings
            WHERE kind = ? AND value IN (\(marks)) AND (service IS NULL OR service <> ?)\(place)
            """
        return try rows(sql, [request.kind] + values + [request.service] + names) { (row) throws(SQLError) in
            try row.text()
        }
    }

    /// The last that was taken, given back since or not: where to go on. Of one slot, or of any.
    package func newestAllocation(
        kind: String, scope: String, slot: String? = nil
    ) throws(StoreError) -> AllocationRecord? {
        var conditions = Conditions()
        conditions.equal("kind", kind)
        conditions.equal("scope", scope)
        conditions.equal("slot", slot)
        return try first(
            AllocationRecord.self, "\(conditions.sql) ORDER BY created_at DESC LIMIT 1", conditions.values)
    }

    /// What the service holds.
    package func allocations(service: String) throws(StoreError) -> [AllocationRecord] {
        let rest = "WHERE service = ? AND released_at IS NULL ORDER BY kind, scope, value"
        return try select(AllocationRecord.self, rest, [service])
    }

    /// Writes down by what the making of a thing is known, whose name the service holds.
    package func noteNonce(_ nonce: String, of kind: String, _ value: String, service: String) throws(StoreError) {
        try run(
            "UPDATE allocations SET nonce = ? WHERE kind = ? AND value = ? AND service = ? AND released_at IS NULL",
            [nonce, kind, value, service])
    }

    /// What is held, by kind, scope and value, or what was ever held.
    package func allocations(
        _ filter: AllocationFilter = AllocationFilter(), page request: PageRequest = PageRequest()
    ) throws(StoreError) -> Page<AllocationRecord> {
        var conditions = Conditions()
        conditions.equal("kind", filter.kind)
        conditions.equal("scope", filter.scope)
        conditions.equal("value", filter.value)
        conditions.equal("service", filter.service)
        conditions.equal("node", filter.node)
        if let customer = filter.customer { conditions.belongs(to: customer) }
        if !filter.withHistory { conditions.add("released_at IS NULL", []) }
        if let after = request.after {
            let place = after.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            guard place.count == 4, let time = Int64(place[3]) else {
                throw .invalid("that is no place in the allocations")
            }
            conditions.add(
                "(kind, scope, value, created_at) > (?, ?, ?, ?)", place[..<3].map { $0 as any SQLBindable } + [time])
        }
        let rest = "\(conditions.sql) ORDER BY kind, scope, value, created_at LIMIT ?"
        let found = try select(AllocationRecord.self, rest, conditions.values + [request.limit + 1])
        let last = found.count > request.limit ? found[request.limit - 1] : nil
        return Page(
            items: Array(found.prefix(request.limit)),
            next: last.map { "\($0.kind)\n\($0.scope)\n\($0.value)\n\($0.createdAt.milliseconds)" })
    }

    /// Allocations of services that are terminated or never came to be.
    package func orphanedAllocations() throws(StoreError) -> [AllocationRecord] {
        let rest = """
            WHERE released_at IS NULL AND NOT EXISTS (
                SELECT 1 FROM services WHERE services.id = allocations.service AND services.state <> 'terminated')
            ORDER BY kind, scope, value
            """
        return try select(AllocationRecord.self, rest)
    }
}
