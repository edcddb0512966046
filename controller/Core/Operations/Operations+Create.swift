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
        try request.check(for: requester)
        let (now, catalogue) = (now, dependencies.catalogue)
        return try await record { store throws(StoreError) in
            try store.create(request, catalogue, by: requester, at: now)
        }
    }

    /// Where a service would be placed now, and the word on every node. Nothing is recorded.
    package func explainPlacement(_ request: ServiceRequest) async throws(CoreError) -> PlacementResult {
        try request.check()
        let (rules, catalogue) = (rules, dependencies.catalogue)
        let connected = await dependencies.agents.connected()
        let loads = await dependencies.agents.loads()
        return try await record { store throws(StoreError) in
            let drawn: Drawn
            switch try store.draw(request, catalogue, isCustomers: false) {
            case .failure(let error): return .failure(error)
            case .success(let found): drawn = found
            }
            guard let needs = drawn.product.placement else {
                let problem = "names a plan of \(drawn.product.name), whose services lie on no node"
                return .failure(.invalid(field: "plan", problem: problem))
            }
            switch try store.demand(needs, drawn.spec) {
            case .failure(let error): return .failure(error)
            case .success(let demand):
                let candidates = try store.candidates(connected: connected, loads: loads, things: demand.things)
                return .success(Scheduler(rules: rules).place(demand, on: candidates))
            }
        }
    }
}

extension ServiceRequest {
    /// - Parameter path: of the object that has the fields, with a dot behind it.
    func check(under path: String = "") throws(CoreError) {
        if let externalID, !Grammar.externalID.accepts(externalID) {
            throw .invalid(field: "\(path)external_id", problem: "must be \(Grammar.externalID.expectation)")
        }
        guard Grammar.externalID.accepts(customer) else {
            throw .invalid(field: "\(path)customer", problem: "must be \(Grammar.externalID.expectation)")
        }
        guard Grammar.planName.accepts(plan) else {
            throw .invalid(field: "\(path)plan", problem: "must be \(Grammar.planName.expectation)")
        }
        try checkLabels(labels, field: "\(path)labels")
    }

    /// A customer orders for himself. External ids are unique among all customers: which of them are taken is not for him.
    func check(for requester: Requester, under path: String = "") throws(CoreError) {
        guard let own = requester.customer else { return }
        guard customer == own else {
            throw .invalid(field: "\(path)customer", problem: "must be the customer that the key is bound to")
        }
        guard externalID == nil else {
            throw .invalid(
                field: "\(path)external_id", problem: "cannot be given with a key that is bound to a customer")
        }
    }

    /// Kept with the operation, to know the same request again.
    var json: JSONObject {
        [
            "customer": .string(customer), "plan": .string(plan), "labels": .strings(labels),
            "overrides": .object(overrides),
        ]
    }
}

/// What a request asks for.
private struct Drawn: Sendable {
    var plan: PlanRecord
    var product: Product
    /// That makes the service.
    var verb: ProductVerb
    var spec: JSONObject
}

extension Catalogue {
    /// The kinds of operations that have this role in any product.
    func kinds(_ role: Verb.Role) -> [String] {
        var kinds: [String] = []
        for product in products {
            for verb in product.verbs where verb.verb.role == role && !kinds.contains(verb.verb.name) {
                kinds.append(verb.verb.name)
            }
        }
        return kinds
    }
}

/// At most 64, each by the grammar.
func checkLabels(_ labels: [String: String], field: String) throws(CoreError) {
    guard labels.count <= 64 else { throw .invalid(field: field, problem: "has more than 64 elements") }
    for (key, value) in labels.sorted(by: { $0.key < $1.key }) {
        guard Grammar.labelKey.accepts(key) else {
            throw .invalid(
                field: "\(field).\(key.prefix(64))",
                problem: "is no key of a label: it must be \(Grammar.labelKey.expectation)")
        }
        guard Grammar.labelValue.accepts(value) else {
            throw .invalid(field: "\(field).\(key)", problem: "must be \(Grammar.labelValue.expectation)")
        }
    }
}

extension Store {
    /// A service and the operation that provisions it, of a request that was checked.
    func create(
        _ request: ServiceRequest, _ catalogue: Catalogue, by requester: Requester, at time: Timestamp
    ) throws(StoreError) -> Result<ServiceOperation, CoreError> {
        let digest = request.json
        if let known = try earlier(request, as: digest, catalogue, by: requester, at: time) { return known }
        if let objection = try objection(toExternalID: request.externalID) { return .failure(objection) }
        let drawn: Drawn
        switch try draw(request, catalogue, isCustomers: requester.customer != nil) {
        case .failure(let error): return .failure(error)
        case .success(let found): drawn = found
        }
        let service = ServiceRecord(
            id: Identifier.make("svc"), externalID: request.externalID, customer: request.customer,
            product: drawn.product.name, plan: drawn.plan.name, planRevision: drawn.plan.revision, spec: drawn.spec,
            createdAt: time, updatedAt: time)
        try insertService(service)
        return .success(
            try queue(
                drawn.verb.verb, on: service, of: drawn.product, parameters: ["request": .object(digest)],
                by: requester, at: time))
    }

    /// What an earlier request with the same external id made, or one without under the same key.
    func earlier(
        _ request: ServiceRequest, as digest: JSONObject, _ catalogue: Catalogue, by requester: Requester,
        at time: Timestamp
    ) throws(StoreError) -> Result<ServiceOperation, CoreError>? {
        guard let externalID = request.externalID else {
            for kind in catalogue.kinds(.begins) {
                guard let operation = try earlier(kind, by: requester, at: time),
                    operation.parameters["request"] == .object(digest),
                    let service = try operation.service.flatMap({ id throws(StoreError) in try service(id) })
                else { continue }
                return .success(ServiceOperation(service: service, operation: operation, created: false))
            }
            return nil
        }
        guard let service = try service(externalID: externalID) else { return nil }
        let kind = catalogue.product(of: service)?.verb(.begins)?.verb.name
        let filter = OperationFilter(service: service.id, kind: kind)
        let first = try operations(filter, page: PageRequest(limit: 1)).items.first
        guard let first, first.parameters["request"] == .object(digest) else {
            return .failure(
                .conflict("there is a service \(service.id) with external id \(externalID) and another order"))
        }
        return .success(ServiceOperation(service: service, operation: first, created: false))
    }

    /// A service is found by its id or its external id: one text must not stand for two of them.
    func objection(toExternalID externalID: String?) throws(StoreError) -> CoreError? {
        guard let externalID else { return nil }
        if Identifier.isReserved(externalID) {
            return .invalid(field: "external_id", problem: "must not have the form of an id of Innkeeper's own")
        }
        guard try service(externalID) != nil else { return nil }
        return .invalid(field: "external_id", problem: "must not be the id of another service")
    }

    /// The plan and the specification that a request asks for.
    fileprivate func draw(
        _ request: ServiceRequest, _ catalogue: Catalogue, isCustomers: Bool
    ) throws(StoreError) -> Result<Drawn, CoreError> {
        guard let plan = try plan(request.plan) else {
            return .failure(.invalid(field: "plan", problem: "names no plan: \(request.plan)"))
        }
        guard plan.retiredAt == nil else {
            return .failure(.invalid(field: "plan", problem: "names a plan that is retired: \(plan.name)"))
        }
        do throws(CoreError) {
            let product = try catalogue.requireProduct(plan.product)
            guard let verb = product.verb(.begins) else {
                throw .invalid(field: "plan", problem: "names a plan of \(product.name), which cannot be provisioned")
            }
            let spec = try product.specification.order(
                plan.spec, overrides: request.overrides, labels: request.labels,
                isCustomers: isCustomers)
            return .success(Drawn(plan: plan, product: product, verb: verb, spec: spec))
        } catch {
            return .failure(error)
        }
    }
}
