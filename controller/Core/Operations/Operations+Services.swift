import Model
package import Store
import WireProtocol

extension Operations {
    /// Stops the container and keeps everything.
    package func suspend(
        _ service: String, reason: String? = nil, by requester: Requester
    ) async throws(CoreError) -> ServiceOperation {
        try await order(.suspend, on: service, because: reason, by: requester)
    }

    package func resume(
        _ service: String, reason: String? = nil, by requester: Requester
    ) async throws(CoreError) -> ServiceOperation {
        try await order(.resume, on: service, because: reason, by: requester)
    }

    /// Brings back a container that is stopped or missing, on the data that is there.
    package func repair(
        _ service: String, reason: String? = nil, by requester: Requester
    ) async throws(CoreError) -> ServiceOperation {
        try await order(.repair, on: service, because: reason, by: requester)
    }

    /// Provisions a service anew whose provisioning failed.
    package func retry(
        _ service: String, reason: String? = nil, by requester: Requester
    ) async throws(CoreError) -> ServiceOperation {
        try await order(.provision, on: service, because: reason, by: requester)
    }

    /// Removes the container and the data with all snapshots. What still waits or runs for the service is called off
    /// first: a waiting operation at once, a running one is undone, and then this one has its turn.
    package func terminate(
        _ service: String, reason: String? = nil, by requester: Requester
    ) async throws(CoreError) -> ServiceOperation {
        let now = now
        return try await record { store throws(StoreError) in
            guard let record = try store.service(service) else {
                return .failure(.notFound(kind: "service", id: service))
            }
            if let earlier = try store.earlier(.terminate, on: record, by: requester, at: now) {
                return .success(earlier)
            }
            let queue = try store.unfinishedOperations(service: service)
            if let already = queue.first(where: { $0.kind == OperationKind.terminate.rawValue }) {
                return .success(ServiceOperation(service: record, operation: already, created: false))
            }
            if record.state == .terminated { return .failure(.notAllowed(.terminate, on: record, in: .terminated)) }
            for operation in queue { try store.callOff(operation, at: now) }
            return .success(try store.queue(.terminate, on: record, because: reason, by: requester, at: now))
        }
    }

    /// Strikes a service off the books whose node is revoked and so will never answer again: what is on that node stays
    /// there. The way out for a termination that cannot reach its node.
    package func abandon(
        _ service: String, reason: String? = nil, by requester: Requester
    ) async throws(CoreError) -> ServiceRecord {
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
            try store.releaseAll(service: service, at: now, by: world.allocation)
            var detail: JSONObject = ["node": .string(node.id), "left": record.address["dataset"] ?? .null]
            detail["reason"] = reason.map { .string($0) }
            try store.audit("service.abandon", service, by: requester, at: now, detail: detail)
            return .success(
                try store.updateService(service, at: now) {
                    $0.state = .terminated
                    $0.node = nil
                })
        }
    }

    /// More or less memory, CPU or disk, and what else of another plan can be had without making the container anew. A
    /// plan that differs in more is refused, and the field named.
    package func upgrade(
        _ service: String, _ request: UpgradeRequest, by requester: Requester
    ) async throws(CoreError) -> ServiceOperation {
        guard request.plan != nil || !request.overrides.isEmpty else {
            throw .invalid(field: "plan", problem: "or overrides must be given")
        }
        let now = now
        return try await record { store throws(StoreError) in
            guard let record = try store.service(service) else {
                return .failure(.notFound(kind: "service", id: service))
            }
            if let earlier = try store.earlier(.upgrade, on: record, by: requester, at: now) {
                return .success(earlier)
            }
            if let objection = try store.objection(to: .upgrade, on: record) { return .failure(objection) }
            switch try store.upgraded(record, request) {
            case .failure(let error): return .failure(error)
            case .success(let parameters):
                return .success(try store.queue(.upgrade, on: record, parameters: parameters, by: requester, at: now))
            }
        }
    }

    /// Calls an operation off: one that waits is cancelled at once, one that runs is undone. A termination that runs
    /// cannot be called off.
    package func cancel(_ operation: String, by requester: Requester) async throws(CoreError) -> OperationRecord {
        let now = now
        return try await record { store throws(StoreError) in
            guard let record = try store.operation(operation) else {
                return .failure(.notFound(kind: "operation", id: operation))
            }
            if record.state.isFinished || record.cancelRequested { return .success(record) }
            if !record.isUntouched, OperationKind(rawValue: record.kind)?.isCancellable == false {
                return .failure(
                    .notAllowedInState(
                        resource: "operation \(operation)", state: record.state.rawValue,
                        reason: "a \(record.kind) that runs cannot be called off"))
            }
            try store.callOff(record, at: now)
            try store.audit("operation.cancel", operation, by: requester, at: now)
            return .success(try store.operation(operation) ?? record)
        }
    }

    private func order(
        _ kind: OperationKind, on service: String, because reason: String?, by requester: Requester
    ) async throws(CoreError) -> ServiceOperation {
        let now = now
        return try await record { store throws(StoreError) in
            guard let record = try store.service(service) else {
                return .failure(.notFound(kind: "service", id: service))
            }
            if let earlier = try store.earlier(kind, on: record, by: requester, at: now) { return .success(earlier) }
            if let objection = try store.objection(to: kind, on: record) { return .failure(objection) }
            return .success(try store.queue(kind, on: record, because: reason, by: requester, at: now))
        }
    }
}

extension CoreError {
    static func notAllowed(_ kind: OperationKind, on service: ServiceRecord, in state: ServiceRecord.State) -> CoreError
    {
        let allowed = kind.from.map(\.rawValue).sorted().joined(separator: " or ")
        return .notAllowedInState(
            resource: "service \(service.id)", state: state.rawValue,
            reason: "to \(kind.rawValue) it must be \(allowed)")
    }
}

extension Store {
    /// Nil when the service will be in a state for `kind` once everything before it is done.
    func objection(to kind: OperationKind, on service: ServiceRecord) throws(StoreError) -> CoreError? {
        let state = projectedState(service.state, after: try unfinishedOperations(service: service.id))
        return kind.from.contains(state) ? nil : .notAllowed(kind, on: service, in: state)
    }

    /// Records an operation at the end of the service's queue.
    func queue(
        _ kind: OperationKind, on service: ServiceRecord, parameters: JSONObject = [:], because reason: String? = nil,
        by requester: Requester, at time: Timestamp
    ) throws(StoreError) -> ServiceOperation {
        var parameters = parameters
        parameters["reason"] = reason.map { .string($0) }
        let operation = try insertOperation(
            OperationRecord(
                id: Identifier.make("op"), kind: kind.rawValue, service: service.id, node: service.node,
                parameters: parameters, requestedBy: requester.name, idempotencyKey: requester.idempotencyKey,
                createdAt: time))
        var detail: JSONObject = ["operation": .string(operation.id)]
        detail["reason"] = parameters["reason"]
        if kind == .provision || kind == .upgrade { detail["plan"] = parameters["plan"] ?? .string(service.plan) }
        if kind == .provision { detail["customer"] = .string(service.customer) }
        if let spec = parameters["spec"]?.asObject { detail["changed"] = .specChanges(service.spec, spec) }
        try audit("service.\(kind.rawValue)", service.id, by: requester, at: time, detail: detail)
        return ServiceOperation(service: service, operation: operation, created: true)
    }

    /// A waiting operation ends here; a running one is told to go back, if it can.
    func callOff(_ operation: OperationRecord, at time: Timestamp) throws(StoreError) {
        try updateOperation(operation.id) { operation in
            operation.cancelRequested = true
            guard operation.isUntouched else { return }
            operation.state = .cancelled
            operation.finishedAt = time
        }
        if operation.isUntouched { try releasePending(operation, at: time) }
    }

    /// A service whose first operation never began will not come by itself.
    private func releasePending(_ operation: OperationRecord, at time: Timestamp) throws(StoreError) {
        guard operation.kind == OperationKind.provision.rawValue, let id = operation.service,
            try service(id)?.state == .pending
        else { return }
        try updateService(id, at: time) { $0.state = .failed }
    }

    fileprivate func upgraded(
        _ service: ServiceRecord, _ request: UpgradeRequest
    ) throws(StoreError) -> Result<JSONObject, CoreError> {
        var plan: PlanRecord?
        if let name = request.plan {
            plan = try self.plan(name)
            guard let plan, plan.retiredAt == nil else {
                return .failure(.invalid(field: "plan", problem: "names no plan in use: \(name)"))
            }
        }
        let present = try self.plan(service.plan, revision: service.planRevision)
        do throws(CoreError) {
            let spec = try PlanSpec(json: service.spec).grown(
                from: present?.spec, to: plan?.spec,
                overrides: request.overrides)
            return .success([
                "spec": .object(spec.json), "plan": .string(plan?.name ?? service.plan),
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
