import Model
package import Store
package import WireProtocol

extension Operations {
    /// The first revision of a new plan.
    package func createPlan(
        name: String, spec: JSONObject, by requester: Requester
    ) async throws(CoreError) -> PlanRecord {
        guard Grammar.planName.accepts(name) else {
            throw .invalid(field: "name", problem: "must be \(Grammar.planName.expectation)")
        }
        let spec = try PlanSpec(json: spec)
        let now = now
        return try await record { store throws(StoreError) in
            guard try store.plan(name) == nil else { return .failure(.conflict("there is a plan \(name) already")) }
            let plan = try store.putPlan(name, spec: spec.json, at: now)
            try store.audit("plan.create", name, by: requester, at: now)
            return .success(plan)
        }
    }

    /// A further revision. Services keep the specification they were made with. The same specification again makes
    /// no revision.
    package func updatePlan(
        name: String, spec: JSONObject, by requester: Requester
    ) async throws(CoreError) -> PlanRecord {
        let spec = try PlanSpec(json: spec)
        let now = now
        return try await record { store throws(StoreError) in
            guard let present = try store.plan(name) else { return .failure(.notFound(kind: "plan", id: name)) }
            let plan = try store.putPlan(name, spec: spec.json, at: now)
            guard plan.revision != present.revision else { return .success(present) }
            try store.audit("plan.update", name, by: requester, at: now, detail: ["revision": .integer(plan.revision)])
            return .success(plan)
        }
    }

    /// No new service may use the plan; those that are there stay. A further revision brings it back.
    package func retirePlan(name: String, by requester: Requester) async throws(CoreError) -> PlanRecord {
        let now = now
        return try await record { store throws(StoreError) in
            if try store.retirePlan(name, at: now) { try store.audit("plan.retire", name, by: requester, at: now) }
            guard let plan = try store.plan(name) else { return .failure(.notFound(kind: "plan", id: name)) }
            return .success(plan)
        }
    }
}
