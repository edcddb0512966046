package import APIModels
import Store
package import WireProtocol

extension Queries {
    /// All plans, each in its newest revision. Customers see them too: it is what they can buy.
    package func plans(_ part: ListPart) async throws(CoreError) -> Listing<Plan> {
        let page = try await read { store throws(StoreError) in try store.plans(page: part.request()) }
        return page.listing { Plan($0, catalogue) }
    }

    package func plan(_ name: String) async throws(CoreError) -> Plan {
        let found = try await read { store throws(StoreError) in try store.plan(name) }
        guard let plan = found else { throw .notFound(kind: "plan", id: name) }
        return Plan(plan, catalogue)
    }

    /// What can be sold.
    package func products() throws(CoreError) -> [ProductView] {
        try viewer.require(.read)
        return catalogue.products.map { ProductView($0, withSchema: false) }
    }

    /// One product, with the schema of its plans.
    package func product(_ name: String) throws(CoreError) -> ProductView {
        try viewer.require(.read)
        guard let product = catalogue.product(name) else { throw .notFound(kind: "product", id: name) }
        return ProductView(product, withSchema: true)
    }

    /// The values that an order has beside its plan.
    package func overrides(_ fields: JSONObject, plan name: String) async throws(CoreError) -> JSONObject {
        let plan = try await read { store throws(StoreError) in try store.plan(name) }
        return try catalogue.revealed(fields, of: plan?.product, from: nil, path: "overrides")
    }
}
