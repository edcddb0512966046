import APIModels
import ControllerCore
import HTTPTypes
import WireProtocol

extension Doors {
    var placements: [Endpoint] {
        [
            Endpoint(
                .post, "/api/v1/placements", .read,
                .init(
                    summary: "Where an order would be placed now, and why not elsewhere; nothing is recorded",
                    tag: "services", body: ServiceOrder.self, answer: PlacementView.self)
            ) { call in
                let order = try call.model(ServiceOrder.self)
                let result = try await operations.explainPlacement(ServiceRequest(order))
                return try .model(BodyDecoder.model(PlacementView.self, from: .object(result.json())))
            }
        ]
    }
}

extension ServiceRequest {
    init(_ order: ServiceOrder) throws {
        self.init(
            externalID: order.externalID, customer: order.customer, plan: order.plan, labels: order.labels ?? [:],
            overrides: try JSONObject(order.overrides ?? Overrides()))
    }
}
