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
        case .taken(let name): "the domain \(name) is in use already"
        }
    }

    var error: CoreError {
        if case .unusable(let sentence) = self { return .unusable(field: "domain", problem: "is refused: \(sentence)") }
        return .conflict(sentence)
    }
}

extension Store {
    /// Takes up a domain for a service: nobody else can have it meanwhile, and nothing is done for it before it is proven. One
    /// that the service has already stays as it is.
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
        let request = AllocationRequest(
            kind: DomainRecord.kind, candidates: [name], service: service.id, operation: operation, slot: name)
        do throws(StoreError) { _ = try allocate(request, at: time) } catch {
            guard case .exhausted = error else { throw error }
            return .failure(.taken(name))
        }
        var record = DomainRecord(service: service.id, name: name, token: token, operation: operation, addedAt: time)
        record.reason = record.request
        try insertDomain(record)
        return .success((record, true))
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

    /// Off the books, and free for others.
    package func giveBack(domain name: String, of service: String, at time: Timestamp) throws(StoreError) {
        try removeDomain(name, service: service, at: time)
        _ = try releaseAllocation(kind: DomainRecord.kind, scope: "", value: name, service: service, at: time)
    }

    /// One is the other, or lies in it.
    private static func overlap(_ name: String, _ zone: String) -> Bool {
        name == zone || name.hasSuffix(".\(zone)") || zone.hasSuffix(".\(name)")
    }
}
