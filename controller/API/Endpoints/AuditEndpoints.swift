import APIModels
import HTTP
import HTTPTypes
import Store

extension APIResources {
    var audit: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/audit", .admin,
                .init(
                    summary: "Who changed what, newest first", tag: "audit",
                    query: [
                        "limit", "cursor", .text("subject", "An id, or the name of a node or service."),
                        .text("actor", "As the rows have it, or the id or name of a key."),
                    ], answer: Listing<AuditEntry>.self)
            ) { call in
                let subjects = try await Names(store).subjects(call.query["subject"])
                let actors = try await Names(store).actors(call.query["actor"])
                let page = try await store.auditLog(
                    subjects: subjects, actors: actors, page: call.pageRequest("audit", order: .descending))
                let names = try await Names(store).names(of: page.items.map(\.actor))
                return try .model(page.view("audit") { AuditEntry($0, name: names[$0.actor]) })
            }
        ]
    }

    var events: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/events", .read,
                .init(
                    summary: "What changes, as it changes: events change and missed", tag: "events",
                    query: [.many("kind", "Only these kinds.", among: Change.Kind.allCases.map(\.rawValue))],
                    mediaType: "text/event-stream")
            ) { call in
                var kinds: Set<Change.Kind> = []
                for name in call.query.all("kind") {
                    guard let kind = Change.Kind(rawValue: name) else {
                        throw Problem(.invalidField, "there is no kind of change \(name)", field: "kind")
                    }
                    kinds.insert(kind)
                }
                // Keys and the audit log are not for everyone who may look.
                var allowed = Set(Change.Kind.allCases)
                if !call.caller.scopes.contains(.admin) { allowed.subtract([.key, .audit]) }
                let source = ChangeEvents(
                    history, after: call.lastEventID, kinds: kinds.isEmpty ? allowed : kinds.intersection(allowed))
                return try stream(source, call)
            }
        ]
    }
}
