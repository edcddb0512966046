import APIModels
import ControllerCore
import HTTP
import Logging
import Model
import Store
import WireProtocol

/// What the endpoints work with.
struct APIResources: Sendable {
    let store: Store
    let operations: Operations
    let history: ChangeHistory
    let counters: RequestCounters
    let settings: APISettings
    let now: @Sendable () -> Timestamp
    let description = APIDescription()

    /// All of them.
    var endpoints: [Endpoint] {
        health + nodes + commands + transfers + tokens + plans + products + services + placements + work + metrics
            + keys + audit + events + findings + records + networks + allocations
            + machines
    }

    /// A view with what its nodes are called.
    func told(_ view: some OnNodes & Encodable) async throws -> Answer { try .model(await Names(store).told(view)) }

    /// - Parameter isNew: false where the same was ordered before.
    func answer(_ order: AcceptedOperation, isNew: Bool) async throws -> Answer {
        let order = try await Names(store).told(order)
        return isNew ? try .accepted(order) : try .model(order)
    }

    /// A node by its id or name.
    func node(_ call: APICall) async throws -> NodeRecord {
        let name = try call.path("node")
        if let node = try await Names(store).node(name) { return node }
        throw Problem(.notFound, "there is no node \(name)")
    }

    /// A service by its id or external id.
    func service(_ call: APICall) async throws -> ServiceRecord {
        let name = try call.path("service")
        if let service = try await Names(store).service(name) { return service }
        throw Problem(.notFound, "there is no service \(name)")
    }

    func operation(_ call: APICall) async throws -> OperationRecord {
        let id = try call.path("operation")
        guard let operation = try await store.operation(id) else {
            throw Problem(.notFound, "there is no operation \(id)")
        }
        return operation
    }
}

extension APICall {
    /// Who asks, as the core wants to know it.
    var requester: Requester {
        Requester(name: caller.actor, remote: caller.remote, idempotencyKey: idempotencyKey)
    }

    /// The audit record of a change that needs no core.
    func auditRecord(_ action: String, _ subject: String, detail: JSONObject = [:]) -> AuditRecord {
        AuditRecord(
            id: Identifier.make("aud"), time: time, actor: caller.actor, action: action, subject: subject,
            detail: detail, remote: caller.remote)
    }
}

extension Problem {
    init?(_ error: CoreError) {
        switch error {
        case .invalid(let field, _): self.init(.invalidField, error.description, field: field)
        case .notFound: self.init(.notFound, error.description)
        case .conflict, .notAllowedInState: self.init(.conflict, error.description)
        case .notAsExpected: self.init(.preconditionFailed, error.description)
        case .store: return nil
        }
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
