import APIModels
import ControllerCore
import HTTP
import Logging
import Model
import WireProtocol

/// What the endpoints work with.
struct APIResources: Sendable {
    let operations: Operations
    let keyCheck: KeyCheck
    let history: ChangeHistory
    let counters: RequestCounters
    let settings: APISettings
    let now: @Sendable () -> Timestamp
    let description = APIDescription()

    /// All of them.
    var endpoints: [Endpoint] {
        health + nodes + commands + transfers + tokens + plans + products + services + placements + work + metrics
            + keys + audit + events + findings + records + networks + allocations
            + machines + integrations + domains + backups + webhooks + queues
    }

    /// What the caller may see.
    func queries(_ call: APICall) -> Queries {
        Queries(
            operations,
            for: Viewer(actor: call.caller.actor, scopes: call.caller.scopes, customer: call.caller.customer))
    }

    /// - Parameter isNew: false where the same was ordered before.
    func answer(_ order: AcceptedOperation, isNew: Bool) throws -> Answer {
        isNew ? try .accepted(order) : try .model(order)
    }

    /// The id of the node in the path.
    func nodeID(_ call: APICall) async throws -> String { try await queries(call).nodeID(call.path("node")) }

    /// The service in the path.
    func service(_ call: APICall) async throws -> ServiceReference {
        try await queries(call).reference(call.path("service"))
    }
}

extension APICall {
    /// Who asks, as the core wants to know it.
    var requester: Requester {
        Requester(
            name: caller.actor, remote: caller.remote, idempotencyKey: idempotencyKey, customer: caller.customer)
    }
}

extension Answer {
    /// 202 with the operation and where to follow it.
    static func accepted(_ accepted: AcceptedOperation) throws -> Answer {
        try model(accepted, status: 202, location: "/api/v1/operations/\(accepted.operation.id)")
    }
}

extension JSONObject {
    /// The fields of a model.
    init(_ model: some Encodable) throws {
        self = try BodyEncoder.json(model).asObject ?? [:]
    }
}
