package import Model
package import Store

/// Why a service does not get a domain.
package enum DomainRefusal: Error, Sendable, Hashable {
    /// Nobody's own, or ours.
    case unusable(String)
    case quota(Int64)
    /// Whose it is concerns nobody.
    case taken(String)

    /// Of steps.
    package var code: String {
        switch self {
        case .unusable: "invalid"
        case .quota: "quota"
        case .taken: "conflict"
        }
    }

    package var sentence: String {
        switch self {
        case .unusable(let sentence): sentence
        case .quota(0): "the plan allows no domain of the customer's own"
        case .quota(1): "the plan allows one domain, and the service has it"
        case .quota(let quota): "the plan allows \(quota) domains, and the service has them"
        case .taken(let name): "the domain \(name) is in use already: another service has proven it first"
        }
    }

    var error: CoreError {
        if case .unusable(let sentence) = self { return .unusable(field: "domain", problem: "is refused: \(sentence)") }
        return .conflict(sentence)
    }
}

extension Store {
    /// Takes up a domain for a service, which then waits for its proof; several may wait for the proof of one name, and nothing
    /// is done for it before. One that the service has already stays as it is.
    /// - Parameter token: of its proof.
    /// - Returns: the domain, and whether it is new.
    package func take(
        domain name: String, for service: ServiceRecord, _ offer: DomainOffer, _ suffixes: PublicSuffixes,
        token: String, operation: String?, at time: Timestamp
    ) throws(StoreError) -> Result<(record: DomainRecord, isNew: Bool), DomainRefusal> {
        if let known = try domain(name, service: service.id) { return .success((known, false)) }
        guard !suffixes.contains(name) else {
            return .failure(.unusable("\(name) is nobody's own: many register below it"))
        }
        for zone in try offer.zones(service.spec) + subdomainZones() where Self.overlap(name, zone) {
            return .failure(.unusable("\(name) is not a domain of the customer's own"))
        }
        let quota = offer.quota(service.spec)
        guard try domains(service: service.id).count < quota else {
            return .failure(.quota(quota))
        }
        let withheld = try withheldValue(kind: DomainRecord.kind, scope: "", value: name)
        if let withheld, withheld.until.map({ $0 > time }) ?? true {
            return .failure(.unusable("\(name) is withheld from all services"))
        }
        guard try keeper(ofDomain: name) == nil else { return .failure(.taken(name)) }
        var record = DomainRecord(service: service.id, name: name, token: token, operation: operation, addedAt: time)
        record.reason = record.request
        try insertDomain(record)
        return .success((record, true))
    }

    /// The service whose own a name is by now: it has proven it, or something that was made for it is still there, or an operation
    /// that has seen its proof is at work. Whoever waits for a proof keeps a name from nobody.
    package func keeper(ofDomain name: String) throws(StoreError) -> String? {
        guard let held = try held(domain: name) else { return nil }
        return try isKept(held) ? held.service : nil
    }

    /// The name is the service's own from here on. The first who comes with a proof has it; for all others it is refused, and
    /// where it stands says why.
    /// - Parameter operation: that has seen the proof, or takes away what was made for the name.
    package func claim(
        domain name: String, for service: String, operation: String, at time: Timestamp
    ) throws(StoreError) -> Result<Void, DomainRefusal> {
        if let held = try held(domain: name) {
            if try isKept(held) {
                guard held.service != service else { return .success(()) }
                let refusal = DomainRefusal.taken(name)
                try updateDomain(name, service: service, at: time) {
                    if $0.state == .awaitingProof { ($0.reason, $0.checkedAt) = (refusal.sentence, time) }
                }
                return .failure(refusal)
            }
            // Of a proof that has gone, of an operation that failed, or of a version before, which held what was not proven.
            _ = try releaseAllocation(
                kind: DomainRecord.kind, scope: "", value: name, service: held.service, at: time)
        }
        let request = AllocationRequest(
            kind: DomainRecord.kind, candidates: [name], service: service, operation: operation, slot: name)
        do throws(StoreError) { _ = try allocate(request, at: time) } catch {
            guard case .exhausted = error else { throw error }
            return .failure(.unusable("\(name) is withheld from all services"))
        }
        return .success(())
    }

    /// What an operation has claimed and not brought to anything is nobody's again.
    package func unclaim(
        domain name: String, of service: String, operation: String, at time: Timestamp
    ) throws(StoreError) {
        guard let held = try held(domain: name), held.service == service, held.operation == operation,
            try domain(name, service: service)?.isKept != true
        else { return }
        _ = try releaseAllocation(kind: DomainRecord.kind, scope: "", value: name, service: service, at: time)
    }

    private func held(domain name: String) throws(StoreError) -> AllocationRecord? {
        let wanted = AllocationFilter(kind: DomainRecord.kind, scope: "", value: name)
        return try allocations(wanted, page: PageRequest(limit: 1)).items.first
    }

    private func isKept(_ held: AllocationRecord) throws(StoreError) -> Bool {
        if try domain(held.value, service: held.service)?.isKept == true { return true }
        guard let id = held.operation, let operation = try operation(id) else { return false }
        return !operation.state.isFinished
    }

    /// What a product's check has found: how far the domain has come, and what is missing.
    package func note(
        domain name: String, of service: String, _ state: DomainRecord.State, reason: String, zone: String?,
        at time: Timestamp
    ) throws(StoreError) {
        try updateDomain(name, service: service, at: time) { domain in
            if state != domain.state { domain.dueAt = time + (state == .active ? .days(1) : .seconds(60)) }
            (domain.state, domain.reason, domain.zone) = (state, reason, zone)
            (domain.checkedAt, domain.misses) = (time, 0)
            if state >= .certified { domain.isServed = true }
        }
        let subject = Self.domainSubject(service, name)
        if state >= .proven { try resolve("domain.proof_lost", subject: subject, by: "controller", at: time) }
        if state >= .routed { try resolve("domain.route_lost", subject: subject, by: "controller", at: time) }
    }

    /// Off the service's books, and free for others where it was the service's own.
    package func giveBack(domain name: String, of service: String, at time: Timestamp) throws(StoreError) {
        try removeDomain(name, service: service, at: time)
        _ = try releaseAllocation(kind: DomainRecord.kind, scope: "", value: name, service: service, at: time)
    }

    /// One is the other, or lies in it.
    private static func overlap(_ name: String, _ zone: String) -> Bool {
        name == zone || name.hasSuffix(".\(zone)") || zone.hasSuffix(".\(name)")
    }
}
