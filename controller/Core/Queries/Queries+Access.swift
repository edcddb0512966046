package import APIModels
import Model
import Store

extension Queries {
    /// All API keys, without their secrets.
    package func keys(_ part: ListPart) async throws(CoreError) -> Listing<APIKey> {
        let page = try await readFleet(.admin) { store throws(StoreError) in try store.keys(page: part.request()) }
        return page.listing { APIKey($0) }
    }

    /// All join tokens, without their secrets.
    package func tokens(_ part: ListPart) async throws(CoreError) -> Listing<JoinTokenView> {
        // Names of keys are for those who may see keys.
        let isNamed = viewer.scopes.permits(.admin)
        let (page, names) = try await readFleet(.nodes) { store throws(StoreError) in
            let page = try store.tokens(page: part.request())
            return (page, isNamed ? try store.names(of: page.items.compactMap(\.createdBy)) : [:])
        }
        return page.listing { record in
            var view = JoinTokenView(record)
            view.createdByName = record.createdBy.flatMap { names[$0] }
            return view
        }
    }

    /// Who changed what, newest first.
    /// - Parameters:
    ///   - subject: an id, or the name of a node or service.
    ///   - actor: as the rows have it, or the id or name of a key.
    package func audit(
        subject: String?, actor: String?, _ part: ListPart
    ) async throws(CoreError) -> Listing<AuditEntry> {
        let (subjects, actors) = (try await subjects(subject), try await actors(actor))
        let (page, names) = try await readFleet(.admin) { store throws(StoreError) in
            let page = try store.auditLog(subjects: subjects, actors: actors, page: part.request(.descending))
            return (page, try store.names(of: page.items.map(\.actor)))
        }
        return page.listing { AuditEntry($0, name: names[$0.actor]) }
    }

    /// What the audit log calls what `text` names, which may be gone by now.
    private func subjects(_ text: String?) async throws(CoreError) -> [String]? {
        guard let text else { return nil }
        let subjects = try await readFleet(.admin) { store throws(StoreError) -> [String]? in
            var subjects = Set([text])
            if let node = try store.node(named: text) { subjects.insert(node.id) }
            if let service = try store.service(externalID: text) { subjects.insert(service.id) }
            let known = try store.auditLog(
                subjects: Array(subjects), page: PageRequest(limit: 1, order: .descending))
            return known.items.isEmpty ? nil : subjects.sorted()
        }
        if let subjects { return subjects }
        throw .namesNothing(field: "subject", "the audit log knows nothing of \(text.prefix(100))")
    }

    /// What the audit log calls the one that `text` names: an actor as it stands there, the id of a key, or the name of keys.
    private func actors(_ text: String?) async throws(CoreError) -> [String]? {
        guard let text else { return nil }
        let actors = try await readFleet(.admin) { store throws(StoreError) -> [String]? in
            var actors = Set([text, "key:\(text)"])
            for key in try store.keys(named: text) { actors.insert("key:\(key.id)") }
            if let node = try store.node(named: text) { actors.insert("node:\(node.id)") }
            let known = try store.auditLog(actors: Array(actors), page: PageRequest(limit: 1, order: .descending))
            return known.items.isEmpty ? nil : actors.sorted()
        }
        if let actors { return actors }
        throw .namesNothing(field: "actor", "the audit log knows nobody called \(text.prefix(100))")
    }
}

extension Store {
    /// What people call those who act.
    func names(of actors: [String]) throws(StoreError) -> [String: String] {
        var names: [String: String] = [:]
        for actor in Set(actors) {
            let parts = actor.split(separator: ":", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { continue }
            switch parts[0] {
            case "key": names[actor] = try key(parts[1])?.name
            case "node": names[actor] = try node(parts[1])?.name
            default: break
            }
        }
        return names
    }
}
