import APIModels
import Model
import Store

/// Between what people call things and what the books call them.
struct Names: Sendable {
    let store: Store

    init(_ store: Store) { self.store = store }

    /// A node by its id or name; nil where there is none.
    func node(_ text: String) async throws -> NodeRecord? {
        if let node = try await store.node(text) { return node }
        return try await store.node(named: text)
    }

    /// A service by its id or external id. An older version took external ids that look like our ids; where both are, neither
    /// is meant.
    func service(_ text: String) async throws -> ServiceRecord? {
        let (byID, byName) = (try await store.service(text), try await store.service(externalID: text))
        if let byID, let byName, byID.id != byName.id {
            throw Problem(
                .conflict, "\(text) is the id of one service and the external id of \(byName.id): use ids")
        }
        return byID ?? byName
    }

    /// The id of the node that a filter names. A filter that names nothing must not look like one that found nothing.
    func nodeID(_ text: String?) async throws -> String? {
        guard let text else { return nil }
        guard let node = try await node(text) else {
            throw Problem(.notFound, "there is no node \(text.prefix(100))", field: "node")
        }
        return node.id
    }

    func serviceID(_ text: String?) async throws -> String? {
        guard let text else { return nil }
        guard let service = try await service(text) else {
            throw Problem(.notFound, "there is no service \(text.prefix(100))", field: "service")
        }
        return service.id
    }

    func planName(_ text: String?) async throws -> String? {
        guard let text else { return nil }
        guard try await store.plan(text) != nil else {
            throw Problem(.notFound, "there is no plan \(text.prefix(100))", field: "plan")
        }
        return text
    }

    /// What the audit log calls what `text` names, which may be gone by now.
    func subjects(_ text: String?) async throws -> [String]? {
        guard let text else { return nil }
        var subjects = Set([text])
        if let node = try await store.node(named: text) { subjects.insert(node.id) }
        if let service = try await store.service(externalID: text) { subjects.insert(service.id) }
        let rows = try await store.auditLog(subjects: Array(subjects), page: PageRequest(limit: 1, order: .descending))
        guard !rows.items.isEmpty else {
            throw Problem(.notFound, "the audit log knows nothing of \(text.prefix(100))", field: "subject")
        }
        return subjects.sorted()
    }

    /// What the audit log calls the one that `text` names: an actor as it stands there, the id of a key, or the name of keys.
    func actors(_ text: String?) async throws -> [String]? {
        guard let text else { return nil }
        var actors = Set([text, "key:\(text)"])
        for key in try await store.keys(named: text) { actors.insert("key:\(key.id)") }
        if let node = try await store.node(named: text) { actors.insert("node:\(node.id)") }
        let rows = try await store.auditLog(actors: Array(actors), page: PageRequest(limit: 1, order: .descending))
        guard !rows.items.isEmpty else {
            throw Problem(.notFound, "the audit log knows nobody called \(text.prefix(100))", field: "actor")
        }
        return actors.sorted()
    }

    /// What people call those who act.
    func names(of actors: [String]) async throws -> [String: String] {
        var names: [String: String] = [:]
        for actor in Set(actors) {
            let parts = actor.split(separator: ":", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { continue }
            switch parts[0] {
            case "key": names[actor] = try await store.key(parts[1])?.name
            case "node": names[actor] = try await store.node(parts[1])?.name
            default: break
            }
        }
        return names
    }
}
