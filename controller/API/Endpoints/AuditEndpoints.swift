import APIModels
import HTTPTypes
import Store

extension Doors {
    var audit: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/audit", .admin,
                .init(
                    summary: "Who changed what, newest first", tag: "audit",
                    query: ["limit", "cursor", "subject", "actor"], answer: Listing<AuditEntry>.self)
            ) { call in
                let page = try await store.auditLog(
                    subject: call.query["subject"], actor: call.query["actor"],
                    page: call.pageRequest("audit", order: .descending))
                return try .model(page.view("audit") { AuditEntry($0) })
            }
        ]
    }

    var events: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/events", .read,
                .init(
                    summary: "What changes, as it changes: events change and missed", tag: "events", query: ["kind"],
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
