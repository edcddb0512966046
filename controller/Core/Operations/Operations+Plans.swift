import Model
package import Store
package import WireProtocol

extension Operations {
    /// The first revision of a new plan.
    package func createPlan(
        name: String, spec: JSONObject, by requester: Requester
    ) async throws(CoreError) -> PlanRecord {
        try await putPlan(name: name, by: requester) { present throws(CoreError) in
            guard present == nil else { throw .conflict("there is a plan \(name) already") }
            return spec
        }
    }

    /// A further revision. Services keep the specification they were made with. The same specification again makes
    /// no revision.
    package func updatePlan(
        name: String, spec: JSONObject, by requester: Requester
    ) async throws(CoreError) -> PlanRecord {
        try await putPlan(name: name, by: requester) { present throws(CoreError) in
            guard present != nil else { throw .notFound(kind: "plan", id: name) }
            return spec
        }
    }

    /// The first revision of a new plan, or a further one.
    /// - Parameter spec: makes the specification of the newest revision as it is in the moment of the change, nil where there
    ///   is none.
    package func putPlan(
        name: String, by requester: Requester,
        _ spec: @escaping @Sendable (PlanRecord?) throws(CoreError) -> JSONObject
    ) async throws(CoreError) -> PlanRecord {
        guard Grammar.planName.accepts(name) else {
            throw .invalid(field: "name", problem: "must be \(Grammar.planName.expectation)")
        }
        let now = now
        return try await record { store throws(StoreError) in
            let present = try store.plan(name)
            let wanted: JSONObject
            do throws(CoreError) { wanted = try PlanSpec(json: spec(present)).json } catch { return .failure(error) }
            let plan = try store.putPlan(name, spec: wanted, at: now)
            guard plan.revision != present?.revision else { return .success(plan) }
            try store.audit(
                present == nil ? "plan.create" : "plan.update", name, by: requester, at: now,
                detail: [
                    "revision": .integer(plan.revision), "changed": .specChanges(present?.spec ?? [:], plan.spec),
                ])
            return .success(plan)
        }
    }

    /// No new service may use the plan; those that are there stay. A further revision brings it back.
    /// - Parameter isExpected: asked for the plan in the moment of the change; false refuses it.
    package func retirePlan(
        name: String, by requester: Requester,
        ifSo isExpected: @escaping @Sendable (PlanRecord) -> Bool = { _ in true }
    ) async throws(CoreError) -> PlanRecord {
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
