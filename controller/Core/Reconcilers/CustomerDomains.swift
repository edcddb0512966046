import Logging
import Model
import Store
import WireProtocol

/// Looks at customers' domains: often while they are on their way, daily when they are there. It asks resolvers alone; what is
/// to be done becomes an operation. What had been there and is gone takes the domain back, and becomes a finding; what
/// serves it stays, since names have bad days. A name that its service does not prove in a week goes off the service's books.
struct CustomerDomains: Reconciler {
    let name = "domains"
    let interval = Duration.seconds(60)
    let operations: Operations
    private static let batch = 500
    private static let breadth = 16
    /// When nobody could say, and for services that cannot be changed now.
    private static let later = Duration.seconds(600)
    private static let atRest: Set<ServiceRecord.State> = [.running, .suspended, .failed]

    func reconcile(_ dependencies: Dependencies) async throws {
        let now = dependencies.clock.now()
        var due = try await dependencies.store.domains(dueBy: now, limit: Self.batch)[...]
        await withTaskGroup(of: Void.self) { group in
            func begin() {
                guard !Task.isCancelled, let domain = due.popFirst() else { return }
                group.addTask { await look(at: domain, dependencies) }
            }
            for _ in 0..<Self.breadth { begin() }
            while await group.next() != nil { begin() }
        }
    }

    private func look(at domain: DomainRecord, _ dependencies: Dependencies) async {
        do {
            let store = dependencies.store
            guard let service = try await store.service(domain.service), Self.atRest.contains(service.state),
                let offer = dependencies.catalogue.product(of: service)?.domains,
                try await store.unfinishedOperations(service: service.id).isEmpty
            else { return try await putOff(domain, dependencies) }
            let sight: DomainSight
            do throws(PortError) {
                let ports = dependencies.ports
                let addresses = try await offer.addresses(service, ports)
                sight = try await DomainSight.take(domain, addresses: addresses, ports.resolver)
            } catch { return try await putOff(domain, dependencies) }
            let keeper = try await store.keeper(ofDomain: domain.name)
            let verdict = DomainVerdict(
                domain, sight, isTaken: keeper != nil && keeper != service.id, at: dependencies.clock.now())
            // Nothing can be done for one that does not run; what has lapsed goes off its books all the same.
            guard service.state == .running || verdict.hasLapsed else { return try await putOff(domain, dependencies) }
            guard try await note(verdict, service, dependencies), verdict.wantsCheck else { return }
            _ = try await operations.checkDomain(
                domain.name, of: service.id, by: Requester(name: "reconciler/\(name)"))
        } catch {
            dependencies.logger.warning(
                "a domain could not be looked at", metadata: ["domain": "\(domain.name)", "error": "\(error)"])
        }
    }

    private func putOff(_ domain: DomainRecord, _ dependencies: Dependencies) async throws {
        let now = dependencies.clock.now()
        try await dependencies.store.updateDomain(domain.name, service: domain.service, at: now) {
            $0.dueAt = now + Self.later
        }
    }

    /// False when something that happened meanwhile makes the look old.
    private func note(
        _ verdict: DomainVerdict, _ service: ServiceRecord, _ dependencies: Dependencies
    ) async throws -> Bool {
        let (record, now, by) = (verdict.record, dependencies.clock.now(), "reconciler/\(name)")
        return try await dependencies.store.atomically { store throws(StoreError) in
            guard try store.service(service.id)?.generation == service.generation,
                try store.unfinishedOperations(service: service.id).isEmpty,
                try store.updateDomain(record.name, service: service.id, at: now, { $0 = record }) != nil
            else { return false }
            if verdict.hasLapsed {
                try store.giveBack(domain: record.name, of: service.id, at: now)
                try store.audit(
                    "service.domain-lapsed", service.id, by: Requester(name: by), at: now,
                    detail: ["domain": .string(record.name)])
                return false
            }
            let subject = Store.domainSubject(service.id, record.name)
            if verdict.sight.isProven { try store.resolve("domain.proof_lost", subject: subject, by: by, at: now) }
            if verdict.sight.isProven, verdict.sight.objection == nil {
                try store.resolve("domain.route_lost", subject: subject, by: by, at: now)
            }
            if let loss = verdict.loss { try store.raise(.lost(loss, record, service), at: now) }
            return true
        }
    }
}

extension Finding {
    fileprivate static func lost(
        _ loss: DomainVerdict.Loss, _ domain: DomainRecord, _ service: ServiceRecord
    ) -> Finding {
        let whose = "Domain \(domain.name) of service \(service.externalID ?? service.id)"
        let (kind, summary): (String, String) =
            switch loss {
            case .proof: ("domain.proof_lost", "\(whose) is proven no more: \(domain.reason).")
            case .route: ("domain.route_lost", "\(whose) does not lead here any more: \(domain.reason).")
            }
        return Finding(
            kind, subject: Store.domainSubject(service.id, domain.name), .warning, node: service.node,
            service: service.id, summary: summary,
            remedy:
                "Its customer puts the record back. What serves it stays until the domain is removed with innctl domain remove.",
            data: ["domain": .string(domain.name)])
    }
}
