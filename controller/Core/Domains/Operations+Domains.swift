import Model
package import Store
import WireProtocol

extension Operations {
    /// Takes up a domain of a customer's own, in one transaction. The same again is what there is.
    package func addDomain(
        _ text: String, to service: String, by requester: Requester
    ) async throws(CoreError) -> (record: DomainRecord, isNew: Bool) {
        let name = try Self.domainName(text)
        let (now, dependencies, token) = (now, dependencies, dependencies.ports.random.word(32))
        return try await record { store throws(StoreError) in
            guard let record = try store.service(service, for: requester) else {
                return .failure(.notFound(kind: "service", id: service))
            }
            guard let offer = dependencies.catalogue.product(of: record)?.domains else {
                return .failure(.unknownVerb(of: record))
            }
            guard Self.isThere(record) else {
                return .failure(
                    .notAllowedInState(
                        resource: "service \(service)", state: record.state.rawValue,
                        reason: "only a service that is there can have domains"))
            }
            let taken = try store.take(
                domain: name, for: record, offer, dependencies.suffixes, token: token, operation: nil, at: now)
            if case .success(let made) = taken, made.isNew {
                try store.audit(
                    "service.add-domain", record.id, by: requester, at: now, detail: ["domain": .string(name)])
            }
            return taken.mapError(\.error)
        }
    }

    /// Takes a domain as far as it goes. One that waits or runs already is what is answered.
    package func checkDomain(
        _ text: String, of service: String, by requester: Requester
    ) async throws(CoreError) -> ServiceOperation {
        try await order(on: text, of: service, by: requester) { $0.check }
    }

    /// Gives a domain up: what serves it goes, then it is free.
    package func removeDomain(
        _ text: String, of service: String, because reason: String? = nil, by requester: Requester
    ) async throws(CoreError) -> ServiceOperation {
        try await order(on: text, of: service, because: reason, by: requester) { $0.remove }
    }

    private func order(
        on text: String, of service: String, because reason: String? = nil, by requester: Requester,
        _ choose: @escaping @Sendable (DomainOffer) -> Verb
    ) async throws(CoreError) -> ServiceOperation {
        let (now, catalogue) = (now, dependencies.catalogue)
        return try await record { store throws(StoreError) in
            guard let record = try store.service(service, for: requester) else {
                return .failure(.notFound(kind: "service", id: service))
            }
            guard let product = catalogue.product(of: record), let offer = product.domains else {
                return .failure(.unknownVerb(of: record))
            }
            guard let name = DomainRecord.normal(text), try store.domain(name, service: record.id) != nil else {
                return .failure(.notFound(kind: "domain", id: String(text.prefix(253))))
            }
            let (verb, parameters): (Verb, JSONObject) = (choose(offer), ["domain": .string(name)])
            if let earlier = try store.earlier(verb.name, on: record, by: requester, at: now) {
                return .success(earlier)
            }
            let waiting = try store.unfinishedOperations(service: record.id)
            if let same = waiting.first(where: { $0.kind == verb.name && $0.parameters["domain"] == .string(name) }) {
                return .success(ServiceOperation(service: record, operation: same, created: false))
            }
            if let objection = try store.objection(to: verb, on: record, of: product) { return .failure(objection) }
            return .success(
                try store.queue(
                    verb, on: record, of: product, parameters: parameters, because: reason, by: requester, at: now))
        }
    }

    private static func domainName(_ text: String) throws(CoreError) -> String {
        if let name = DomainRecord.normal(text) { return name }
        throw .unusable(field: "domain", problem: "must be a domain, such as example.org")
    }

    private static func isThere(_ service: ServiceRecord) -> Bool {
        switch service.state {
        case .running, .suspended, .suspending, .resuming, .upgrading: true
        case .pending, .provisioning, .terminating, .terminated, .failed: false
        }
    }
}
