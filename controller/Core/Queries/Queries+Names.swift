import APIModels
import Model
import Store

// Between what people call things and what the books call them. What the viewer may not see has no name for him.

/// A service, as far as it takes to change it.
package struct ServiceReference: Sendable, Hashable {
    package let id: String
    package let product: String
}

extension Queries {
    /// The id of the node of this id or name.
    package func nodeID(_ text: String) async throws(CoreError) -> String { try await node(text).id }

    /// The same; nil where there is none.
    package func knownNodeID(_ text: String) async throws(CoreError) -> String? { try await found(node: text)?.id }

    /// The service of this id or external id.
    package func reference(_ text: String) async throws(CoreError) -> ServiceReference {
        let service = try await service(text)
        return ServiceReference(id: service.id, product: service.product)
    }

    /// The id itself, where the viewer may see the operation.
    package func operationID(_ id: String) async throws(CoreError) -> String { try await operation(id).id }

    func node(_ text: String) async throws(CoreError) -> NodeRecord {
        if let node = try await found(node: text) { return node }
        throw .notFound(kind: "node", id: text)
    }

    func service(_ text: String) async throws(CoreError) -> ServiceRecord {
        if let service = try await found(service: text) { return service }
        throw .notFound(kind: "service", id: text)
    }

    func operation(_ id: String) async throws(CoreError) -> OperationRecord {
        let viewer = viewer
        let found = try await read { store throws(StoreError) in
            try store.operation(id).flatMap { record throws(StoreError) in try store.shown(record, to: viewer) }
        }
        if let found { return found }
        throw .notFound(kind: "operation", id: id)
    }

    /// The id of the node that a filter names. A filter that names nothing must not look like one that found nothing.
    func nodeFilter(_ text: String?) async throws(CoreError) -> String? {
        guard let text else { return nil }
        if let node = try await found(node: text) { return node.id }
        throw .namesNothing(field: "node", "there is no node \(text.prefix(100))")
    }

    func serviceFilter(_ text: String?) async throws(CoreError) -> String? {
        guard let text else { return nil }
        if let service = try await found(service: text) { return service.id }
        throw .namesNothing(field: "service", "there is no service \(text.prefix(100))")
    }

    func planFilter(_ text: String?) async throws(CoreError) -> String? {
        guard let text else { return nil }
        let plan = try await read { store throws(StoreError) in try store.plan(text) }
        if plan != nil { return text }
        throw .namesNothing(field: "plan", "there is no plan \(text.prefix(100))")
    }

    private func found(node text: String) async throws(CoreError) -> NodeRecord? {
        guard viewer.customer == nil else { return nil }
        return try await read { store throws(StoreError) in
            if let node = try store.node(text) { return node }
            return try store.node(named: text)
        }
    }

    /// An older version took external ids that look like our ids; where both are, neither is meant.
    private func found(service text: String) async throws(CoreError) -> ServiceRecord? {
        let viewer = viewer
        let (byID, byName) = try await read { store throws(StoreError) in
            (try store.service(text), try store.service(externalID: text))
        }
        let seen = [byID, byName].compactMap(\.self).filter { viewer.sees($0) }
        if let first = seen.first, let other = seen.last, first.id != other.id {
            throw .conflict("\(text) is the id of one service and the external id of \(other.id): use ids")
        }
        return seen.first
    }
}

extension Viewer {
    func sees(_ service: ServiceRecord) -> Bool { customer == nil || service.customer == customer }
}

extension Store {
    /// The operation, if the viewer may see it: of customers those on their services.
    func shown(_ operation: OperationRecord, to viewer: Viewer) throws(StoreError) -> OperationRecord? {
        guard viewer.customer != nil else { return operation }
        return try isSeen(service: operation.service, by: viewer) ? operation : nil
    }

    /// Whether what belongs to this service, or to none, is for the viewer.
    func isSeen(service id: String?, by viewer: Viewer) throws(StoreError) -> Bool {
        guard viewer.customer != nil else { return true }
        guard let id, let service = try service(id) else { return false }
        return viewer.sees(service)
    }
}
