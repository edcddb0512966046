package import Model
import SQL

/// Domains of customers' own.
extension Store {
    /// What is wrong with one of them, for as long as it has it.
    package static var domainFindings: [String] { ["domain.proof_lost", "domain.route_lost"] }

    package static func domainSubject(_ service: String, _ name: String) -> String {
        "service/\(service)/domain/\(name)"
    }

    /// By name.
    package func domains(service: String) throws(StoreError) -> [DomainRecord] {
        try select(DomainRecord.self, "WHERE service = ? ORDER BY name", [service])
    }

    package func domain(_ name: String, service: String) throws(StoreError) -> DomainRecord? {
        try first(DomainRecord.self, "WHERE service = ? AND name = ?", [service, name])
    }

    /// Those that are to be looked at, the longest overdue first.
    package func domains(dueBy time: Timestamp, limit: Int) throws(StoreError) -> [DomainRecord] {
        try select(DomainRecord.self, "WHERE due_at <= ? ORDER BY due_at, service, name LIMIT ?", [time, limit])
    }

    /// In which zones services have names of ours.
    package func subdomainZones() throws(StoreError) -> [String] {
        let sql = """
            SELECT DISTINCT scope FROM allocations
            WHERE kind = 'subdomain' AND slot = 'label' AND released_at IS NULL ORDER BY scope
            """
        return try rows(sql) { (row) throws(SQLError) in try row.text() }
    }

    package func insertDomain(_ record: DomainRecord) throws(StoreError) {
        try transaction { () throws(StoreError) in
            try insert(record)
            note(.service, record.service, service: record.service)
        }
    }

    /// Reads, changes and writes one. A state that is another one begins then. Nil where there is none.
    @discardableResult
    package func updateDomain(
        _ name: String, service: String, at time: Timestamp, _ change: @Sendable (inout DomainRecord) -> Void
    ) throws(StoreError) -> DomainRecord? {
        try transaction { () throws(StoreError) in
            guard let before = try domain(name, service: service) else { return nil }
            var record = before
            change(&record)
            (record.service, record.name) = (service, name)
            if record.state != before.state { (record.since, record.tries) = (time, 0) }
            guard record != before else { return record }
            try overwrite(record)
            if (record.state, record.reason) != (before.state, before.reason) {
                note(.service, service, service: service)
            }
            return record
        }
    }

    /// Takes it off the books, and settles what was wrong with it. Its allocation is given back by whoever took it.
    package func removeDomain(_ name: String, service: String, at time: Timestamp) throws(StoreError) {
        try transaction { () throws(StoreError) in
            let gone = try run("DELETE FROM domains WHERE service = ? AND name = ?", [service, name])
            guard gone > 0 else { return }
            for kind in Self.domainFindings {
                try resolve(kind, subject: Self.domainSubject(service, name), by: "controller", at: time)
            }
            note(.service, service, service: service)
        }
    }

    /// Part of giving back all that a service holds.
    func forgetDomains(of service: String, at time: Timestamp) throws(StoreError) {
        for domain in try domains(service: service) {
            try removeDomain(domain.name, service: service, at: time)
        }
    }
}
