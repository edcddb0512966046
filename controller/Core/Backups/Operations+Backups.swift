import Model
package import Store
import WireProtocol

/// A service that is to be made of another one's backup.
package struct RestoreRequest: Sendable, Hashable {
    package var externalID: String?
    /// Nil for the plan of the service that the backup is of.
    package var plan: String?
    /// Nil for its customer.
    package var customer: String?

    package init(externalID: String? = nil, plan: String? = nil, customer: String? = nil) {
        (self.externalID, self.plan, self.customer) = (externalID, plan, customer)
    }
}

extension Operations {
    /// Backs a service up. One that waits or runs already is what is answered.
    package func backUp(
        _ service: String, cause: BackupRecord.Cause = .demand, because reason: String? = nil,
        by requester: Requester
    ) async throws(CoreError) -> ServiceOperation {
        let (now, catalogue) = (now, dependencies.catalogue)
        return try await record { store throws(StoreError) in
            guard let record = try store.service(service, for: requester) else {
                return .failure(.notFound(kind: "service", id: service))
            }
            guard let product = catalogue.product(of: record), let offer = product.backups else {
                return .failure(.unknownVerb(of: record))
            }
            guard offer.rule(record.spec).keep > 0 else {
                return .failure(.conflict("the plan of service \(record.id) keeps no backups"))
            }
            if let earlier = try store.earlier(offer.backUp.name, on: record, by: requester, at: now) {
                return .success(earlier)
            }
            let waiting = try store.unfinishedOperations(service: record.id)
            if let same = waiting.first(where: { $0.kind == offer.backUp.name }) {
                return .success(ServiceOperation(service: record, operation: same, created: false))
            }
            if let objection = try store.objection(to: offer.backUp, on: record, of: product) {
                return .failure(objection)
            }
            let parameters: JSONObject = [BackupRecord.causeParameter: .string(cause.rawValue)]
            return .success(
                try store.queue(
                    offer.backUp, on: record, of: product, parameters: parameters, because: reason, by: requester,
                    at: now))
        }
    }

    package func removeBackup(
        _ id: String, because reason: String? = nil, by requester: Requester
    ) async throws(CoreError) -> ServiceOperation {
        try await order(on: id, because: reason, by: requester) { $0.remove }
    }

    /// Takes the service back to it, in place; what came since is lost.
    package func restoreBackup(
        _ id: String, because reason: String? = nil, by requester: Requester
    ) async throws(CoreError) -> ServiceOperation {
        try await order(on: id, because: reason, by: requester) { $0.restore }
    }

    private func order(
        on id: String, because reason: String?, by requester: Requester,
        _ choose: @escaping @Sendable (BackupOffer) -> Verb
    ) async throws(CoreError) -> ServiceOperation {
        let (now, catalogue) = (now, dependencies.catalogue)
        return try await record { store throws(StoreError) in
            guard let backup = try store.backup(id), let record = try store.service(backup.service, for: requester)
            else { return .failure(.notFound(kind: "backup", id: id)) }
            guard let product = catalogue.product(of: record), let offer = product.backups else {
                return .failure(.unknownVerb(of: record))
            }
            let (verb, parameters): (Verb, JSONObject) = (choose(offer), ["backup": .string(id)])
            if let earlier = try store.earlier(verb.name, on: record, by: requester, at: now) {
                return .success(earlier)
            }
            let waiting = try store.unfinishedOperations(service: record.id)
            if let same = waiting.first(where: { $0.kind == verb.name && $0.parameters["backup"] == .string(id) }) {
                return .success(ServiceOperation(service: record, operation: same, created: false))
            }
            if verb == offer.remove, try store.isHeld(backup) {
                return .failure(.conflict("backup \(id) is being restored into another service"))
            }
            if let objection = try store.objection(to: verb, on: record, of: product) { return .failure(objection) }
            return .success(
                try store.queue(
                    verb, on: record, of: product, parameters: parameters, because: reason, by: requester, at: now))
        }
    }

    /// Makes another service of it. With an external id that is known, the same request gives the same service back.
    package func restoreBackup(
        _ id: String, into wanted: RestoreRequest, by requester: Requester
    ) async throws(CoreError) -> ServiceOperation {
        let (now, catalogue) = (now, dependencies.catalogue)
        return try await record { store throws(StoreError) in
            guard let backup = try store.backup(id), let source = try store.service(backup.service, for: requester)
            else { return .failure(.notFound(kind: "backup", id: id)) }
            let (product, verb, copy): (Product, Verb, JSONObject)
            let plan = try store.plan(wanted.plan ?? source.plan)
            let request = ServiceRequest(
                externalID: wanted.externalID, customer: wanted.customer ?? source.customer,
                plan: wanted.plan ?? source.plan)
            do throws(CoreError) {
                try request.check(under: "into.")
                try request.check(for: requester, under: "into.")
                product = try catalogue.requireProduct(source.product)
                guard let begin = product.verb(.begins), let make = product.backups?.copy else {
                    throw .unknownVerb(of: source)
                }
                verb = begin.verb
                if let name = wanted.plan {
                    guard let plan, plan.retiredAt == nil, plan.product == product.name else {
                        throw .invalid(field: "into.plan", problem: "names no plan in use of \(product.name): \(name)")
                    }
                    copy = try make(source.spec, plan.spec)
                } else {
                    copy = try make(source.spec, nil)
                }
            } catch { return .failure(error) }
            let digest = request.json.merged(with: ["backup": .string(id)])
            if let known = try store.earlier(request, as: digest, catalogue, by: requester, at: now) { return known }
            if let objection = try store.objection(toExternalID: request.externalID) { return .failure(objection) }
            if let objection = try store.objection(toCopying: backup, of: source, product) {
                return .failure(objection)
            }
            let service = ServiceRecord(
                id: Identifier.make("svc"), externalID: request.externalID, customer: request.customer,
                product: product.name, plan: request.plan,
                planRevision: wanted.plan == nil ? source.planRevision : plan?.revision ?? 0, spec: copy,
                createdAt: now, updatedAt: now)
            try store.insertService(service)
            let made = try store.queue(
                verb, on: service, of: product,
                parameters: ["request": .object(digest), Restoring.parameter: Restoring(backup).json], by: requester,
                at: now)
            try store.updateBackup(id) { $0.heldBy = made.operation.id }
            return .success(made)
        }
    }
}

extension Store {
    /// Operations that make other services of the service's backups. None begins any more once its end is asked for.
    func copiesUnderWay(of service: String) throws(StoreError) -> [OperationRecord] {
        var copies: [OperationRecord] = []
        for backup in try backups(service: service) where backup.heldBy != nil {
            guard let holder = try backup.heldBy.flatMap({ id throws(StoreError) in try operation(id) }),
                !holder.state.isFinished
            else { continue }
            copies.append(holder)
        }
        return copies
    }

    /// What of the queue has to wait: the end of a service takes its backups along, and what is being made of them needs them.
    func waitingForCopies(_ queue: [OperationRecord], _ catalogue: Catalogue) throws(StoreError) -> Set<String> {
        var waiting: Set<String> = []
        for operation in queue where operation.isUntouched {
            guard let service = operation.service, catalogue.ends(operation),
                try !copiesUnderWay(of: service).isEmpty
            else { continue }
            waiting.insert(operation.id)
        }
        return waiting
    }

    /// Nil when a service can be made anew of what it was to be made of.
    func objection(toCopying origin: Restoring, _ product: Product) throws(StoreError) -> CoreError? {
        guard let backup = try backup(origin.backup), let source = try service(backup.service) else {
            return .conflict("backup \(origin.backup), which the service is to be made of, is not there any more")
        }
        return try objection(toCopying: backup, of: source, product)
    }

    /// Nil when another service can be made of it, and it stays there meanwhile.
    fileprivate func objection(
        toCopying backup: BackupRecord, of source: ServiceRecord, _ product: Product
    ) throws(StoreError) -> CoreError? {
        guard backup.state == .available else { return .conflict("backup \(backup.id) is not on its storage") }
        if try isHeld(backup) {
            return .conflict("backup \(backup.id) is being restored into another service: wait until that has ended")
        }
        let end = product.verb(.ends)?.verb.name
        let isEnding = try unfinishedOperations(service: source.id).contains { $0.kind == end }
        guard source.state != .terminating, !isEnding else {
            return .conflict("service \(source.id), which the backup is of, is being terminated with its backups")
        }
        return nil
    }
}

extension Catalogue {
    /// Whether it removes a service.
    fileprivate func ends(_ operation: OperationRecord) -> Bool {
        products.contains { $0.verb(operation.kind)?.verb.role == .ends }
    }
}
