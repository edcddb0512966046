import APIModels
import ControllerCore
import HTTP
import HTTPTypes

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
                try await call.page("audit") {
                    try await queries(call).audit(
                        subject: call.query["subject"], actor: call.query["actor"], $0)
                }
            }
        ]
    }

    var events: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/events", .read,
                .init(
                    summary: "What changes, as it changes: events change and missed", tag: "events",
                    isForCustomers: true,
                    query: [.many("kind", "Only these kinds.", among: Queries.changeKinds)],
                    mediaType: "text/event-stream")
            ) { call in
                let kinds = call.query.all("kind")
                if let name = kinds.first(where: { !Queries.changeKinds.contains($0) }) {
                    throw Problem(.invalidField, "there is no kind of change \(name)", field: "kind")
                }
                let reader = try queries(call).changes(in: history, after: call.lastEventID, kinds: kinds)
                return try stream(ChangeEvents(reader: reader), call)
            }
        ]
    }
}
