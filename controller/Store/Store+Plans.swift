package import Model
package import WireProtocol

extension Store {
    /// Makes the next revision of a plan, or returns the newest when it says the same and is not retired.
    package func putPlan(
        _ name: String, product: String = "container", spec: JSONObject, at time: Timestamp
    ) throws(StoreError) -> PlanRecord {
        try transaction { () throws(StoreError) in
            let newest = try plan(name)
            if let newest, newest.spec == spec, newest.retiredAt == nil { return newest }
            let plan = PlanRecord(
                name: name, revision: (newest?.revision ?? 0) + 1, product: product, spec: spec, createdAt: time)
            try insert(plan)
            note(.plan, name)
            return plan
        }
    }

    /// The newest revision, also of a retired plan.
    package func plan(_ name: String) throws(StoreError) -> PlanRecord? {
        try first(PlanRecord.self, "WHERE name = ? ORDER BY revision DESC LIMIT 1", [name])
    }

    package func plan(_ name: String, revision: Int64) throws(StoreError) -> PlanRecord? {
        try first(PlanRecord.self, "WHERE name = ? AND revision = ?", [name, revision])
    }

    /// The newest revision of each plan, by name.
    package func plans(page request: PageRequest = PageRequest()) throws(StoreError) -> Page<PlanRecord> {
        var newest = Conditions()
        newest.add("revision = (SELECT max(revision) FROM plans p WHERE p.name = plans.name)", [])
        return try page(PlanRecord.self, by: "name", newest, request, cursor: \.name)
    }

    /// No new service may use the plan; those that have it keep it. False when it was retired before.
    package func retirePlan(_ name: String, at time: Timestamp) throws(StoreError) -> Bool {
        try transaction { () throws(StoreError) in
            guard var plan = try plan(name) else { throw .notFound(kind: "plan", id: name) }
            guard plan.retiredAt == nil else { return false }
            plan.retiredAt = time
            try overwrite(plan)
            note(.plan, name)
            return true
        }
    }
}
