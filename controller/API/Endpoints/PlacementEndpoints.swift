import APIModels
import ControllerCore
import HTTP
import HTTPTypes
import WireProtocol

extension APIResources {
    var placements: [Endpoint] {
        [
            Endpoint(
                .post, "/api/v1/placements", .read,
                .init(
                    summary: "Where an order would be placed now, and why not elsewhere; nothing is recorded",
                    tag: "services", body: ServiceBody.self, answer: PlacementView.self)
            ) { call in
                try await .model(queries(call).placement(of: wanted(call.model(ServiceBody.self), call)))
            }
        ]
    }
}

extension APIResources {
    /// An order as the core takes it.
    func wanted(_ order: ServiceBody, _ call: APICall) async throws -> ServiceRequest {
        let overrides = try await queries(call).overrides(
            (order.overrides ?? [:]).fields("overrides"), plan: order.plan)
        return ServiceRequest(
            externalID: order.externalID, customer: order.customer, plan: order.plan, labels: order.labels ?? [:],
            overrides: overrides)
    }
}
