import Model
package import Store
package import WireProtocol

extension Operations {
    /// The first revision of a new plan.
    package func createPlan(
        name: String, product: String? = nil, spec: JSONObject, by requester: Requester
    ) async throws(CoreError) -> PlanRecord {
        try await putPlan(name: name, product: product, by: requester) { present throws(CoreError) in
            guard present == nil else { throw .conflict("there is a plan \(name) already") }
            return spec
        }
    }

    /// The first revision of a new plan, or a further one.
    /// - Parameters:
    ///   - product: nil for that of the plan as it is, for a new one the standard product. A plan keeps its product.
    ///   - spec: makes the specification of the newest revision as it is in the moment of the change, nil where there is none.
    package func putPlan(
        name: String, product: String? = nil, by requester: Requester,
        _ spec: @escaping @Sendable (PlanRecord?) throws(CoreError) -> JSONObject
    ) async throws(CoreError) -> PlanRecord {
        try requester.requireFleet()
        guard Grammar.planName.accepts(name) else {
            throw .invalid(field: "name", problem: "must be \(Grammar.planName.expectation)")
        }
        let (now, catalogue) = (now, dependencies.catalogue)
        return try await record { store throws(StoreError) in
            let present = try store.plan(name)
            let (kind, wanted): (Product, JSONObject)
            do throws(CoreError) {
                kind = try catalogue.product(for: present, named: product)
                wanted = try kind.specification.plan(spec(present), "spec")
            } catch { return .failure(error) }
            let plan = try store.putPlan(name, product: kind.name, spec: wanted, at: now)
            guard plan.revision != present?.revision else { return .success(plan) }
            var detail: JSONObject = ["revision": .integer(plan.revision)]
            if present == nil { detail["product"] = .string(kind.name) }
            detail["changed"] = kind.specification.changes(present?.spec ?? [:], plan.spec)
            let action = present == nil ? "plan.create" : "plan.update"
            try store.audit(action, name, by: requester, at: now, detail: detail)
            return .success(plan)
        }
    }

    /// No new service may use the plan; those that are there stay. A further revision brings it back.
    /// - Parameter isExpected: asked for the plan in the moment of the change; false refuses it.
    package func retirePlan(
        name: String, by requester: Requester,
        ifSo isExpected: @escaping @Sendable (PlanRecord) -> Bool = { _ in true }
    ) async throws(CoreError) -> PlanRecord {
        try requester.requireFleet()
        let now = now
        return try await record { store throws(StoreError) in
            if let present = try store.plan(name), !isExpected(present) {
                return .failure(.notAsExpected("plan \(name)"))
            }
            if try store.retirePlan(name, at: now) { try store.audit("plan.retire", name, by: requester, at: now) }
            guard let plan = try store.plan(name) else { return .failure(.notFound(kind: "plan", id: name)) }
            return .success(plan)
        }
    }
}

extension Catalogue {
    /// The product of a plan that is made or changed.
    fileprivate func product(for present: PlanRecord?, named name: String?) throws(CoreError) -> Product {
        if let present, let name, name != present.product {
            throw .invalid(
                field: "product", problem: "cannot be changed: plan \(present.name) is of \(present.product)")
        }
        return try requireProduct(name ?? present?.product ?? standard)
    }
}
