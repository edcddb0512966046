import APIModels
import ControllerCore
import HTTPTypes
import Model
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
                    answer: Plan.self, isConditional: true)
            ) { call in
                let (name, body, expected) = (try call.path("plan"), try call.model(PlanBody.self), call.expectation)
                let plan = try await operations.putPlan(name: name, by: call.requester) { present throws(CoreError) in
                    guard expected.holds(for: present?.representation) else { throw .notAsExpected("plan \(name)") }
                    return try body.spec(after: present)
                }
                return try .model(Plan(plan)).tagged
            },
            Endpoint(
                .delete, "/api/v1/plans/{plan}", .plans,
                .init(
                    summary: "Offer a plan no more; services keep what they have", tag: "plans", status: 204,
                    isConditional: true)
            ) { call in
                let expected = call.expectation
                _ = try await operations.retirePlan(
                    name: call.path("plan"), by: call.requester,
                    ifSo: { expected.holds(for: $0.representation) })
                return .nothing
            },
        ]
    }
}

extension PlanRecord {
    /// As `GET` shows it; nil for one that only a newer version can have written.
    fileprivate var representation: [UInt8]? { try? BodyEncoder.bytes(Plan(self)) }
}

extension PlanBody {
    /// The specification, with the values of the present one where hidden ones were sent back.
    fileprivate func spec(after present: PlanRecord?) throws(CoreError) -> JSONObject {
        var body = self
        body.env = try env?.revealed(from: present?.spec, field: "env")
        do { return try JSONObject(body) } catch { throw .invalid(field: "spec", problem: "cannot be kept: \(error)") }
    }
}
