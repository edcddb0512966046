import Model
package import Store
package import WireProtocol

extension Operations {
    /// Stops it and keeps everything.
    package func suspend(
        _ service: String, reason: String? = nil, by requester: Requester
    ) async throws(CoreError) -> ServiceOperation {
        try await order("suspend", on: service, because: reason, by: requester)
    }

    package func resume(
        _ service: String, reason: String? = nil, by requester: Requester
    ) async throws(CoreError) -> ServiceOperation {
        try await order("resume", on: service, because: reason, by: requester)
    }

    /// Brings back what is stopped or missing, on the data that is there.
    package func repair(
        _ service: String, reason: String? = nil, by requester: Requester
    ) async throws(CoreError) -> ServiceOperation {
        try await order("repair", on: service, because: reason, by: requester)
    }

    /// Provisions a service anew whose provisioning failed.
    package func retry(
        _ service: String, reason: String? = nil, by requester: Requester
    ) async throws(CoreError) -> ServiceOperation {
        try await order(service, because: reason, by: requester) { $0.verb(.begins) }
    }

    /// Does a verb of the service's product, whatever it is called.
    /// - Parameter parameters: checked by what the verb says of them.
    package func order(
        _ kind: String, on service: String, parameters: JSONObject = [:], because reason: String? = nil,
        by requester: Requester
    ) async throws(CoreError) -> ServiceOperation {
        let catalogue = dependencies.catalogue
        if let verb = catalogue.products.lazy.compactMap({ $0.verb(kind) }).first, verb.verb.role == .ends {
            return try await terminate(service, reason: reason, by: requester)
        }
        return try await order(service, parameters: parameters, because: reason, by: requester) { $0.verb(kind) }
    }

    private func order(
        _ service: String, parameters: JSONObject = [:], because reason: String?, by requester: Requester,
        _ choose: @escaping @Sendable (Product) -> ProductVerb?
    ) async throws(CoreError) -> ServiceOperation {
        let (now, catalogue) = (now, dependencies.catalogue)
        return try await record { store throws(StoreError) in
            guard let record = try store.service(service, for: requester) else {
                return .failure(.notFound(kind: "service", id: service))
            }
            let (product, verb, checked): (Product, Verb, JSONObject)
            do throws(CoreError) {
                product = try catalogue.requireProduct(record.product)
                guard let chosen = choose(product) else { throw .unknownVerb(of: record) }
                try SchemaCheck().check(parameters, chosen.parameters.schema, "parameters")
                (verb, checked) = (chosen.verb, try chosen.parameters.read(parameters))
            } catch { return .failure(error) }
            if let earlier = try store.earlier(verb.name, on: record, by: requester, at: now) {
                return .success(earlier)
            }
            if let objection = try store.objection(to: verb, on: record, of: product) { return .failure(objection) }
            // What is made anew is made of what it was to be made of.
            let origin = verb.role == .begins ? try store.origin(of: record.id, verb) : nil
            if let origin, let objection = try store.objection(toCopying: origin, product) {
                return .failure(objection)
            }
            var parameters = checked
            if let origin { parameters[Restoring.parameter] = origin.json }
            let made = try store.queue(
                verb, on: record, of: product, parameters: parameters, because: reason, by: requester, at: now)
            if let origin { try store.updateBackup(origin.backup) { $0.heldBy = made.operation.id } }
            return .success(made)
        }
    }

    /// Removes what there is of the service, its data and all snapshots. What still waits or runs for the service is called
    /// off first: a waiting operation at once, a running one is undone, and then this one has its turn. It waits for the end of what
    /// makes other services of the service's backups.
    package func terminate(
        _ service: String, reason: String? = nil, by requester: Requester
    ) async throws(CoreError) -> ServiceOperation {
        let (now, catalogue) = (now, dependencies.catalogue)
        return try await record { store throws(StoreError) in
            guard let record = try store.service(service, for: requester) else {
                return .failure(.notFound(kind: "service", id: service))
            }
            let (product, verb): (Product, Verb)
            do throws(CoreError) {
                product = try catalogue.requireProduct(record.product)
                guard let end = product.verb(.ends) else { throw .unknownVerb(of: record) }
                verb = end.verb
            } catch { return .failure(error) }
            if let earlier = try store.earlier(verb.name, on: record, by: requester, at: now) {
                return .success(earlier)
            }
            let queue = try store.unfinishedOperations(service: service)
            if let already = queue.first(where: { $0.kind == verb.name }) {
                return .success(ServiceOperation(service: record, operation: already, created: false))
            }
            if record.state == .terminated { return .failure(.notAllowed(verb, on: record, in: .terminated)) }
            for operation in queue { try store.callOff(operation, product, at: now) }
            let made = try store.queue(verb, on: record, of: product, because: reason, by: requester, at: now)
            for copy in try store.copiesUnderWay(of: record.id) {
                let text =
                    "waits for operation \(copy.id), which makes another service of a backup of this one: both need it"
                try store.appendLog(
                    made.operation.id, [OperationLogLine(time: now, level: "info", text: text)])
            }
            return .success(made)
        }
    }

    /// Strikes a service off the books whose node is revoked and so will never answer again: what is on that node stays
    /// there. The way out for a termination that cannot reach its node.
    package func abandon(
        _ service: String, reason: String? = nil, by requester: Requester
    ) async throws(CoreError) -> ServiceRecord {
        try requester.requireFleet()
        let now = now
        return try await record { store throws(StoreError) in
            guard let record = try store.service(service) else {
                return .failure(.notFound(kind: "service", id: service))
            }
            if record.state == .terminated { return .success(record) }
            guard let node = try record.node.flatMap({ id throws(StoreError) in try store.node(id) }),
                node.revokedAt != nil,
                try store.unfinishedOperations(service: service).isEmpty
            else {
                return .failure(
                    .notAllowedInState(
                        resource: "service \(service)", state: record.state.rawValue,
                        reason: "only a service at rest on a revoked node can be abandoned; terminate it"))
            }
            let left = try store.allocations(service: service).map { JSONValue.string("\($0.kind) \($0.value)") }
            try store.releaseAll(service: service, at: now, by: dependencies.allocation)
            var detail: JSONObject = ["node": .string(node.id), "left": .array(left)]
            detail["reason"] = reason.map { .string($0) }
            try store.audit("service.abandon", service, by: requester, at: now, detail: detail)
            let struck = try store.updateService(service, at: now) {
                $0.state = .terminated
                $0.node = nil
            }
            try store.announce(.terminated, of: struck, at: now)
            return .success(struck)
        }
    }

    /// Other amounts, and what else of another plan the product can give without making the service anew. A plan that differs
    /// in more, or is of another product, is refused, and the field named.
    package func upgrade(
        _ service: String, _ request: UpgradeRequest, by requester: Requester
    ) async throws(CoreError) -> ServiceOperation {
        guard request.plan != nil || !request.overrides.isEmpty else {
            throw .invalid(field: "plan", problem: "or overrides must be given")
        }
        let (now, catalogue) = (now, dependencies.catalogue)
        return try await record { store throws(StoreError) in
            guard let record = try store.service(service, for: requester) else {
                return .failure(.notFound(kind: "service", id: service))
            }
            let (product, verb): (Product, Verb)
            do throws(CoreError) {
                product = try catalogue.requireProduct(record.product)
                verb = try catalogue.requireVerb("upgrade", of: record).verb
            } catch { return .failure(error) }
            if let earlier = try store.earlier(verb.name, on: record, by: requester, at: now) {
                return .success(earlier)
            }
            if let objection = try store.objection(to: verb, on: record, of: product) { return .failure(objection) }
            switch try store.upgraded(record, product, request) {
            case .failure(let error): return .failure(error)
            case .success(let parameters):
                if let objection = try store.objection(to: parameters, of: record, product) {
                    return .failure(objection)
                }
                return .success(
                    try store.queue(verb, on: record, of: product, parameters: parameters, by: requester, at: now))
            }
        }
    }

    /// Calls an operation off: one that waits is cancelled at once, one that runs is undone. A termination that runs
    /// cannot be called off.
    package func cancel(_ operation: String, by requester: Requester) async throws(CoreError) -> OperationRecord {
        let (now, catalogue) = (now, dependencies.catalogue)
        return try await record { store throws(StoreError) in
            guard let record = try store.operation(operation, for: requester) else {
                return .failure(.notFound(kind: "operation", id: operation))
            }
            if record.state.isFinished || record.cancelRequested { return .success(record) }
            let subject = try record.service.flatMap { id throws(StoreError) in try store.service(id) }
            let product = subject.flatMap { catalogue.product(of: $0) }
            if !record.isUntouched, product?.verb(record.kind)?.verb.isCancellable == false {
                return .failure(
                    .notAllowedInState(
                        resource: "operation \(operation)", state: record.state.rawValue,
                        reason: "a \(record.kind) that runs cannot be called off"))
            }
            try store.callOff(record, product, at: now)
            try store.audit("operation.cancel", operation, by: requester, at: now)
            return .success(try store.operation(operation) ?? record)
        }
    }
}

extension CoreError {
    static func notAllowed(_ verb: Verb, on service: ServiceRecord, in state: ServiceRecord.State) -> CoreError {
        let allowed = verb.from.map(\.rawValue).sorted().joined(separator: " or ")
        return .notAllowedInState(
            resource: "service \(service.id)", state: state.rawValue,
            reason: "to \(verb.name) it must be \(allowed)")
    }

    static func unknownVerb(of service: ServiceRecord) -> CoreError {
        .notAllowedInState(
            resource: "service \(service.id)", state: "a \(service.product)", reason: "that cannot be done to one")
    }
}

extension Store {
    /// Nil when the service will be in a state for `verb` once everything before it is done.
    func objection(
        to verb: Verb, on service: ServiceRecord, of product: Product
    ) throws(StoreError) -> CoreError? {
        let queue = try unfinishedOperations(service: service.id)
        let state = projectedState(service.state, after: queue, of: product)
        return verb.from.contains(state) ? nil : .notAllowed(verb, on: service, in: state)
    }

    /// Records an operation at the end of the service's queue.
    func queue(
        _ verb: Verb, on service: ServiceRecord, of product: Product, parameters: JSONObject = [:],
        because reason: String? = nil, by requester: Requester, at time: Timestamp
    ) throws(StoreError) -> ServiceOperation {
        var parameters = parameters
        parameters["reason"] = reason.map { .string($0) }
        let operation = try insertOperation(
            OperationRecord(
                id: Identifier.make("op"), kind: verb.name, service: service.id, node: service.node,
                parameters: parameters, requestedBy: requester.name, idempotencyKey: requester.idempotencyKey,
                createdAt: time))
        var detail: JSONObject = ["operation": .string(operation.id)]
        detail["reason"] = parameters["reason"]
        if verb.role == .begins || parameters["plan"] != nil {
            detail["plan"] = parameters["plan"] ?? .string(service.plan)
        }
        if verb.role == .begins { detail["customer"] = .string(service.customer) }
        if let spec = parameters["spec"]?.asObject {
            detail["changed"] = product.specification.changes(service.spec, spec)
        }
        try audit("service.\(verb.name)", service.id, by: requester, at: time, detail: detail)
        return ServiceOperation(service: service, operation: operation, created: true)
    }

    /// A waiting operation ends here; a running one is told to go back, if it can.
    func callOff(_ operation: OperationRecord, _ product: Product?, at time: Timestamp) throws(StoreError) {
        try updateOperation(operation.id) { operation in
            operation.cancelRequested = true
            guard operation.isUntouched else { return }
            operation.state = .cancelled
            operation.finishedAt = time
        }
        if operation.isUntouched, let verb = product?.verb(operation.kind)?.verb, verb.role == .begins {
            try giveUpPending(operation, at: time)
        }
    }

    /// The backup that a service is made of, as its last making was told.
    fileprivate func origin(of service: String, _ verb: Verb) throws(StoreError) -> Restoring? {
        let newest = PageRequest(limit: 1, order: .descending)
        let last = try operations(OperationFilter(service: service, kind: verb.name), page: newest).items.first
        return last.flatMap(Restoring.init)
    }

    /// Domains are not taken from anybody by an upgrade.
    fileprivate func objection(
        to parameters: JSONObject, of service: ServiceRecord, _ product: Product
    ) throws(StoreError) -> CoreError? {
        guard let offer = product.domains, let spec = parameters["spec"]?.asObject else { return nil }
        let (count, quota) = (try domains(service: service.id).count, offer.quota(spec))
        guard count > quota else { return nil }
        return .conflict(
            "service \(service.id) has \(count) domains of its own, and \(quota) would be allowed: remove some first")
    }

    /// A service whose first operation never began will not come by itself.
    private func giveUpPending(_ operation: OperationRecord, at time: Timestamp) throws(StoreError) {
        guard let id = operation.service, try service(id)?.state == .pending else { return }
        try updateService(id, at: time) { $0.state = .failed }
        try announce(endOf: operation.id, at: time)
    }

    /// What an upgrade is recorded with.
    func upgraded(
        _ service: ServiceRecord, _ product: Product, _ request: UpgradeRequest
    ) throws(StoreError) -> Result<JSONObject, CoreError> {
        var plan: PlanRecord?
        if let name = request.plan {
            plan = try self.plan(name)
            guard let plan, plan.retiredAt == nil else {
                return .failure(.invalid(field: "plan", problem: "names no plan in use: \(name)"))
            }
            guard plan.product == product.name else {
                let problem = "names a plan of \(plan.product), and the service is of \(product.name)"
                return .failure(.invalid(field: "plan", problem: problem))
            }
        }
        let present = try self.plan(service.plan, revision: service.planRevision)
        do throws(CoreError) {
            let spec = try product.specification.grown(
                Growth(
                    spec: service.spec, present: present?.spec, plan: plan?.spec, overrides: request.overrides))
            return .success([
                "spec": .object(spec), "plan": .string(plan?.name ?? service.plan),
                "plan_revision": .integer(plan?.revision ?? service.planRevision),
            ])
        } catch {
            return .failure(error)
        }
    }
}

extension OperationRecord {
    /// Nothing was done of it yet. One that waits for a place on its node may have begun.
    var isUntouched: Bool { state == .queued && startedAt == nil }
}
