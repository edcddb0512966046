import Model
package import Placement
import Store
import WireProtocol

extension Operations {
    /// Records a new service and the operation that provisions it.
    ///
    /// With an `externalID` that is known, the same request gives the same service and operation back, whatever has
    /// become of them; another request is a conflict.
    package func createService(
        _ request: ServiceRequest, by requester: Requester
    ) async throws(CoreError) -> ServiceOperation {
        try request.check()
        let now = now
        let digest = request.json
        return try await record { store throws(StoreError) in
            if let known = try store.earlier(request, as: digest, by: requester, at: now) { return known }
            if let objection = try store.objection(toExternalID: request.externalID) { return .failure(objection) }
            let drawn: (plan: PlanRecord, spec: PlanSpec)
            switch try store.draw(request) {
            case .failure(let error): return .failure(error)
            case .success(let order): drawn = order
            }
            let service = ServiceRecord(
                id: Identifier.make("svc"), externalID: request.externalID, customer: request.customer,
                plan: drawn.plan.name, planRevision: drawn.plan.revision, spec: drawn.spec.json, createdAt: now,
                updatedAt: now)
            try store.insertService(service)
            return .success(
                try store.queue(
                    .provision, on: service, parameters: ["request": .object(digest)], by: requester, at: now))
        }
    }

    /// Where a service would be placed now, and the word on every node. Nothing is recorded.
    package func explainPlacement(_ request: ServiceRequest) async throws(CoreError) -> PlacementResult {
        try request.check()
        let rules = rules
        let connected = await world.agents.connected()
        let loads = await world.agents.loads()
        return try await record { store throws(StoreError) in
            switch try store.draw(request) {
            case .failure(let error): return .failure(error)
            case .success(let order):
                let candidates = try store.candidates(connected: connected, loads: loads)
                return .success(Scheduler(rules: rules).place(order.spec.demand, on: candidates))
            }
        }
    }
}

extension ServiceRequest {
    func check() throws(CoreError) {
        if let externalID, !Grammar.externalID.accepts(externalID) {
            throw .invalid(field: "external_id", problem: "must be \(Grammar.externalID.expectation)")
        }
        guard Grammar.externalID.accepts(customer) else {
            throw .invalid(field: "customer", problem: "must be \(Grammar.externalID.expectation)")
        }
        guard Grammar.planName.accepts(plan) else {
            throw .invalid(field: "plan", problem: "must be \(Grammar.planName.expectation)")
        }
        try checkLabels(labels, field: "labels")
    }

    /// Kept with the operation, to know the same request again.
    var json: JSONObject {
        [
            "customer": .string(customer), "plan": .string(plan), "labels": .strings(labels),
            "overrides": .object(overrides),
        ]
    }
}

/// At most 64, each by the grammar.
func checkLabels(_ labels: [String: String], field: String) throws(CoreError) {
    guard labels.count <= 64 else { throw .invalid(field: field, problem: "has more than 64 elements") }
    for (key, value) in labels.sorted(by: { $0.key < $1.key }) {
        guard Grammar.labelKey.accepts(key) else {
            throw .invalid(
                field: field,
                problem: "has the key \"\(key.prefix(64))\", which must be \(Grammar.labelKey.expectation)")
        }
        guard Grammar.labelValue.accepts(value) else {
            throw .invalid(field: "\(field).\(key)", problem: "must be \(Grammar.labelValue.expectation)")
        }
    }
}

extension Store {
    /// What an earlier request with the same external id made, or one without under the same key.
    fileprivate func earlier(
        _ request: ServiceRequest, as digest: JSONObject, by requester: Requester, at time: Timestamp
    ) throws(StoreError) -> Result<ServiceOperation, CoreError>? {
        guard let externalID = request.externalID else {
            guard let operation = try earlier(.provision, by: requester, at: time),
                operation.parameters["request"] == .object(digest),
                let service = try operation.service.flatMap({ id throws(StoreError) in try service(id) })
            else { return nil }
            return .success(ServiceOperation(service: service, operation: operation, created: false))
        }
        guard let service = try service(externalID: externalID) else { return nil }
        let provisions = OperationFilter(service: service.id, kind: OperationKind.provision.rawValue)
        let first = try operations(provisions, page: PageRequest(limit: 1)).items.first
        guard let first, first.parameters["request"] == .object(digest) else {
            return .failure(
                .conflict("there is a service \(service.id) with external id \(externalID) and another order"))
        }
        return .success(ServiceOperation(service: service, operation: first, created: false))
    }

    /// A service is found by its id or its external id: one text must not stand for two of them.
    fileprivate func objection(toExternalID externalID: String?) throws(StoreError) -> CoreError? {
        guard let externalID else { return nil }
        if Identifier.isReserved(externalID) {
            return .invalid(field: "external_id", problem: "must not have the form of an id of Innkeeper's own")
        }
        guard try service(externalID) != nil else { return nil }
        return .invalid(field: "external_id", problem: "must not be the id of another service")
    }

    /// The plan and the specification that a request asks for.
    fileprivate func draw(_ request: ServiceRequest) throws(StoreError) -> Result<
        (plan: PlanRecord, spec: PlanSpec), CoreError
    > {
        guard let plan = try plan(request.plan) else {
            return .failure(.invalid(field: "plan", problem: "names no plan: \(request.plan)"))
        }
        guard plan.retiredAt == nil else {
            return .failure(.invalid(field: "plan", problem: "names a plan that is retired: \(plan.name)"))
        }
        do throws(CoreError) {
            var spec = try PlanSpec(json: plan.spec).overridden(by: request.overrides)
            spec.labels.merge(request.labels) { $1 }
            return .success((plan: plan, spec: spec))
        } catch {
            return .failure(error)
        }
    }
}
