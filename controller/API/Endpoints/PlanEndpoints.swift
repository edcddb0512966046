import APIModels
import ControllerCore
import HTTP
import HTTPTypes
import Model
import WireProtocol

extension APIResources {
    var plans: [Endpoint] { planViews + planChanges }

    private var planViews: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/plans", .read,
                .init(
                    summary: "All plans, each in its newest revision", tag: "plans", isForCustomers: true,
                    query: ["limit", "cursor"], answer: Listing<Plan>.self)
            ) { call in try await call.page("plans") { try await queries(call).plans($0) } },
            Endpoint(
                .get, "/api/v1/plans/{plan}", .read,
                .init(summary: "One plan", tag: "plans", isForCustomers: true, answer: Plan.self)
            ) { call in try await .model(queries(call).plan(call.path("plan"))) },
        ]
    }

    private var planChanges: [Endpoint] {
        [
            Endpoint(
                .post, "/api/v1/plans", .plans,
                .init(
                    summary: "Create a plan", tag: "plans", body: PlanRequest.self, answer: Plan.self, status: 201)
            ) { call in
                let (request, catalogue) = (try call.model(PlanRequest.self), operations.catalogue)
                let spec = try catalogue.revealed(
                    request.spec.fields("spec"), of: request.product, from: nil, path: "spec")
                let plan = try await operations.createPlan(
                    name: request.name, product: request.product, spec: spec, by: call.requester)
                return try .model(catalogue.view(plan), status: 201, location: "/api/v1/plans/\(request.name)")
            },
            Endpoint(
                .put, "/api/v1/plans/{plan}", .plans,
                .init(
                    summary: "Create a plan, or make its next revision", tag: "plans", body: PlanChange.self,
                    answer: Plan.self, isConditional: true)
            ) { call in
                let (name, wanted, expected) = (try call.path("plan"), try WantedPlan(call), call.expectation)
                let catalogue = operations.catalogue
                let plan = try await operations.putPlan(
                    name: name, product: wanted.product, by: call.requester
                ) { present throws(CoreError) in
                    guard expected.holds(for: present.flatMap { catalogue.representation($0) }) else {
                        throw .notAsExpected("plan \(name)")
                    }
                    return try catalogue.revealed(
                        wanted.fields, of: wanted.product, over: present, path: wanted.path)
                }
                return try .model(catalogue.view(plan)).tagged
            },
            Endpoint(
                .delete, "/api/v1/plans/{plan}", .plans,
                .init(
                    summary: "Offer a plan no more; services keep what they have", tag: "plans", status: 204,
                    isConditional: true)
            ) { call in
                let (expected, catalogue) = (call.expectation, operations.catalogue)
                _ = try await operations.retirePlan(
                    name: call.path("plan"), by: call.requester,
                    ifSo: { expected.holds(for: catalogue.representation($0)) })
                return .nothing
            },
        ]
    }
}

/// A plan as a `PUT` wants it, in either form.
private struct WantedPlan: Sendable {
    var product: String?
    var fields: JSONObject
    /// Of the fields in the body.
    var path: String

    init(_ call: APICall) throws {
        let flat = try call.model(JSONValue.self).fields("body")
        guard flat["spec"] == nil, flat["product"] == nil else {
            let change = try call.model(PlanChange.self)
            (product, fields, path) = (change.product, try change.spec.fields("spec"), "spec")
            return
        }
        (product, fields, path) = (nil, flat, "")
    }
}

extension JSONValue {
    /// The members of an object.
    func fields(_ field: String) throws(Problem) -> JSONObject {
        guard let object = asObject else { throw Problem(.invalidField, "\(field) must be an object", field: field) }
        return object
    }
}
