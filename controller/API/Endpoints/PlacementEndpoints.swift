import APIModels
import ControllerCore
import HTTP
import HTTPTypes
import Store
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
                let result = try await operations.explainPlacement(wanted(call.model(ServiceBody.self)))
                return try .model(BodyDecoder.model(PlacementView.self, from: .object(result.json())))
            }
        ]
    }
}

extension APIResources {
    /// An order as the core takes it.
    func wanted(_ order: ServiceBody) async throws -> ServiceRequest {
        let overrides = try operations.catalogue.revealed(
            (order.overrides ?? [:]).fields("overrides"), of: try await store.plan(order.plan)?.product, from: nil,
            path: "overrides")
        return ServiceRequest(
            externalID: order.externalID, customer: order.customer, plan: order.plan, labels: order.labels ?? [:],
            overrides: overrides)
    }
}
