import APIModels
import ControllerCore
import HTTPTypes
import Store
import WireProtocol

extension Doors {
    var commands: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/nodes/{node}/operations", .read,
                .init(
                    summary: "What the drivers of a node can do, as it said when it last connected", tag: "nodes",
                    answer: Listing<OperationOffer>.self)
            ) { call in
                let catalogue = try await store.catalogue(of: node(call).id)
                return try .model(Listing(items: OperationOffer.all(in: catalogue)))
            },
            Endpoint(
                .post, "/api/v1/nodes/{node}/commands", .commands,
                .init(
                    summary: "Run one operation of a driver on a node; the node's own policy has the last word",
                    tag: "nodes", body: CommandOrder.self, answer: AcceptedOrder.self, status: 202)
            ) { call in
                let request = try CommandRequest(call.model(CommandOrder.self))
                let taken = try await operations.command(request, on: node(call).id, by: call.requester)
                let accepted = AcceptedOrder(operation: Operation(taken.operation), service: nil)
                return taken.created ? try .accepted(accepted) : try .model(accepted)
            },
        ]
    }
}

extension CommandRequest {
    init(_ order: CommandOrder) throws(Problem) {
        self.init(
            operation: order.operation, resource: order.resource,
            arguments: try Self.object(order.arguments, "arguments"),
            secrets: try Self.object(order.secrets, "secrets"),
            deadline: order.deadlineSeconds.map { .seconds(min(max(0, $0), 1 << 32)) },
            isFollowed: order.follow ?? false)
    }

    private static func object(_ value: JSONValue?, _ field: String) throws(Problem) -> JSONObject {
        guard let value else { return [:] }
        guard let object = value.asObject else {
            throw Problem(.invalidField, "field \(field) must be an object", field: field)
        }
        return object
    }
}

extension OperationOffer {
    static func all(in catalogue: JSONValue?) -> [OperationOffer] {
        (catalogue?.asArray ?? []).flatMap { entry -> [OperationOffer] in
            guard let driver = entry["driver"]?.asString else { return [] }
            return (entry["operations"]?.asArray ?? []).compactMap { OperationOffer($0, of: driver) }
        }
    }

    private init?(_ offer: JSONValue, of driver: String) {
        guard let name = offer["name"]?.asString, let kind = offer["kind"]?.asString else { return nil }
        self.init(
            driver: driver, name: "\(driver).\(name)", kind: kind, summary: offer["summary"]?.asString ?? "",
            deadlineSeconds: ((offer["deadline_ms"]?.asInteger ?? 0) + 999) / 1000,
            guarded: offer["guarded"]?.asBool ?? false, allowed: offer["allowed"]?.asBool ?? false)
    }
}
