import APIModels
import HTTP
import HTTPTypes
import Model
import Store
import WireProtocol

extension APIResources {
    var findings: [Endpoint] { findingViews + findingChanges }

    private var findingViews: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/findings", .read,
                .init(
                    summary: "What is not as it should be, newest first; resolved ones only when asked for",
                    tag: "findings",
                    query: [
                        "limit", "cursor", .word("state", FindingFilter.State.self),
                        .word("severity", FindingRecord.Severity.self), "kind", "node", "service", "resolved",
                    ],
                    answer: Listing<FindingView>.self)
            ) { call in
                let filter = FindingFilter(
                    state: try call.query.word("state", FindingFilter.State.self),
                    severity: try call.query.word("severity", FindingRecord.Severity.self), kind: call.query["kind"],
                    node: try await nodeFilter(call), service: try await serviceFilter(call),
                    withResolved: try call.query.flag("resolved"))
                let page = try await store.findings(filter, page: call.pageRequest("findings", order: .descending))
                return try await told(page.view("findings") { FindingView($0) })
            },
            Endpoint(
                .get, "/api/v1/findings/{finding}", .read,
                .init(summary: "One finding", tag: "findings", answer: FindingView.self)
            ) { call in
                let id = try call.path("finding")
                guard let record = try await store.finding(id) else {
                    throw Problem(.notFound, "there is no finding \(id)")
                }
                return try await told(FindingView(record))
            },
        ]
    }

    private var findingChanges: [Endpoint] {
        [
            change("acknowledge", "Say that somebody knows of a finding") {
                store, id, by, note, time throws(StoreError) in
                try store.acknowledgeFinding(id, by: by, note: note, at: time)
            },
            change("resolve", "Say that a finding is settled; if it is not, it is raised anew") {
                store, id, by, note, time throws(StoreError) in
                try store.resolveFinding(id, by: by, note: note, at: time)
            },
        ]
    }

    private typealias Decision =
        @Sendable (
            isolated Store, String, String, String?, Timestamp
        ) throws(StoreError) -> FindingRecord

    private func change(_ verb: String, _ summary: String, _ decision: @escaping Decision) -> Endpoint {
        Endpoint(
            .post, "/api/v1/findings/{finding}/\(verb)", .nodes,
            .init(
                summary: summary, tag: "findings", body: NoteRequest.self, isBodyOptional: true,
                answer: FindingView.self)
        ) { call in
            let id = try call.path("finding")
            let note = try call.optionalModel(NoteRequest.self)?.note
            let audit = call.auditRecord("finding.\(verb)", id, detail: note.map { ["note": .string($0)] } ?? [:])
            let (by, time) = (call.caller.actor, call.time)
            let record = try await store.atomically { store throws(StoreError) in
                let record = try decision(store, id, by, note, time)
                try store.audit(audit)
                return record
            }
            return try await told(FindingView(record))
        }
    }

    /// The node that a filter names, by id or name; one that is not there is an error, not an empty list.
    func nodeFilter(_ call: APICall) async throws -> String? {
        guard let name = call.query["node"] else { return nil }
        if let node = try await store.node(name) { return node.id }
        if let node = try await store.node(named: name) { return node.id }
        throw Problem(.notFound, "there is no node \(name)", field: "node")
    }

    /// The service that a filter names, by id or external id.
    func serviceFilter(_ call: APICall) async throws -> String? {
        guard let name = call.query["service"] else { return nil }
        if let service = try await store.service(name) { return service.id }
        if let service = try await store.service(externalID: name) { return service.id }
        throw Problem(.notFound, "there is no service \(name)", field: "service")
    }
}

extension FindingView {
    init(_ record: FindingRecord) {
        self.init(
            id: record.id, kind: record.kind, subject: record.subject, severity: record.severity.rawValue,
            state: record.state.rawValue, node: record.node, service: record.service, summary: record.summary,
            remedy: record.remedy, since: record.since, lastSeen: record.lastSeen,
            data: record.data.isEmpty ? nil : .object(record.data))
        (acknowledgedAt, acknowledgedBy) = (record.acknowledgedAt, record.acknowledgedBy)
        (resolvedAt, resolvedBy, note) = (record.resolvedAt, record.resolvedBy, record.note)
    }
}
