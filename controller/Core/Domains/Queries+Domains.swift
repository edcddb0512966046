package import APIModels
package import Store

extension Queries {
    /// The service's own domains, by name, with what their customer puts into DNS.
    package func domains(of service: String) async throws(CoreError) -> Listing<DomainView> {
        let record = try await self.service(service)
        let domains = try await read { store throws(StoreError) in try store.domains(service: record.id) }
        return Listing(items: await views(domains, of: record))
    }

    /// A domain as it is after a change.
    package func changed(_ domain: DomainRecord) async throws(CoreError) -> DomainView {
        try await views([domain], of: service(domain.service))[0]
    }

    private func views(_ domains: [DomainRecord], of service: ServiceRecord) async -> [DomainView] {
        guard !domains.isEmpty, let offer = catalogue.product(of: service)?.domains else {
            return domains.map { DomainView($0, addresses: []) }
        }
        // Where nobody says where it should lead, its proof can be put there all the same.
        let addresses = (try? await offer.addresses(service, dependencies.ports)) ?? []
        return domains.map { DomainView($0, addresses: addresses) }
    }
}

extension DomainView {
    init(_ record: DomainRecord, addresses: [String]) {
        let readable = DomainText.unicode(record.name)
        self.init(
            domain: record.name, unicode: readable == record.name ? nil : readable, state: record.state.rawValue,
            reason: record.reason.isEmpty ? nil : record.reason, since: record.since, checkedAt: record.checkedAt,
            proof: WantedRecord(type: "TXT", name: record.proofName, value: record.proofValue),
            records: record.names.flatMap { name in
                addresses.map { WantedRecord(type: $0.contains(":") ? "AAAA" : "A", name: name, value: $0) }
            })
    }
}
