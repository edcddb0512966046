package import Model
package import Store

extension Store {
    /// Takes up a domain for a service: nobody else can have it meanwhile, and nothing is done for it before it is proven. One
    /// that the service has already stays as it is.
    /// - Parameter token: of its proof.
    /// - Returns: the domain, and whether it is new.
    package func take(
        domain name: String, for service: ServiceRecord, _ offer: DomainOffer, _ suffixes: PublicSuffixes,
        token: String, operation: String?, at time: Timestamp
    ) throws(StoreError) -> Result<(record: DomainRecord, isNew: Bool), CoreError> {
        if let known = try domain(name, service: service.id) { return .success((known, false)) }
        guard !suffixes.contains(name) else {
            return .failure(.unusable(field: "domain", problem: "is nobody's own: many register below \(name)"))
        }
        for zone in try offer.zones(service.spec) + subdomainZones() where Self.overlap(name, zone) {
            return .failure(.unusable(field: "domain", problem: "\(name) is not a domain of the customer's own"))
        }
        let quota = offer.quota(service.spec)
        guard try domains(service: service.id).count < quota else {
            return .failure(.conflict("the plan allows \(quota) domains, and the service has them"))
        }
        let request = AllocationRequest(
            kind: DomainRecord.kind, candidates: [name], service: service.id, operation: operation, slot: name)
        do throws(StoreError) { _ = try allocate(request, at: time) } catch {
            guard case .exhausted = error else { throw error }
            // Whose it is concerns nobody.
            return .failure(.conflict("the domain \(name) is in use already"))
        }
        var record = DomainRecord(service: service.id, name: name, token: token, operation: operation, addedAt: time)
        record.reason = record.request
        try insertDomain(record)
        return .success((record, true))
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
