import APIModels
import ControllerCore
import HTTPTypes
import Store
import WireProtocol

extension Doors {
    var plans: [Endpoint] { planViews + planChanges }

    private var planViews: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/plans", .read,
                .init(
                    summary: "All plans, each in its newest revision", tag: "plans", query: ["limit", "cursor"],
                    answer: Listing<Plan>.self)
            ) { call in
                let page = try await store.plans(page: call.pageRequest("plans"))
                let items = try page.items.map { try Plan($0) }
                return try .model(
                    Listing(items: items, next: page.next.map { Cursor.text($0, list: "plans") }))
            },
            Endpoint(
                .get, "/api/v1/plans/{plan}", .read,
                .init(summary: "One plan", tag: "plans", answer: Plan.self)
            ) { call in
                let name = try call.path("plan")
                guard let plan = try await store.plan(name) else {
                    throw Problem(.notFound, "there is no plan \(name)")
                }
                return try .model(Plan(plan))
            },
        ]
    }

    private var planChanges: [Endpoint] {
        [
            Endpoint(
                .post, "/api/v1/plans", .plans,
                .init(
                    summary: "Create a plan", tag: "plans", body: PlanRequest.self, answer: Plan.self, status: 201)
            ) { call in
                var request = try call.model(PlanRequest.self)
                request.spec.env = try request.spec.env?.revealed(from: nil, field: "spec.env")
                let plan = try await operations.createPlan(
                    name: request.name, spec: JSONObject(request.spec), by: call.requester)
                return try .model(Plan(plan), status: 201, location: "/api/v1/plans/\(plan.name)")
            },
            Endpoint(
                .put, "/api/v1/plans/{plan}", .plans,
                .init(
                    summary: "Create a plan, or make its next revision", tag: "plans", body: PlanBody.self,
                    answer: Plan.self)
            ) { call in
                let name = try call.path("plan")
                let known = try await store.plan(name)
                var body = try call.model(PlanBody.self)
                body.env = try body.env?.revealed(from: known?.spec, field: "env")
                let spec = try JSONObject(body)
                let plan =
                    try await known == nil
                    ? operations.createPlan(name: name, spec: spec, by: call.requester)
                    : operations.updatePlan(name: name, spec: spec, by: call.requester)
                return try .model(Plan(plan))
            },
            Endpoint(
                .delete, "/api/v1/plans/{plan}", .plans,
                .init(summary: "Offer a plan no more; services keep what they have", tag: "plans", status: 204)
            ) { call in
                _ = try await operations.retirePlan(name: call.path("plan"), by: call.requester)
                return .nothing
            },
        ]
    }
}
