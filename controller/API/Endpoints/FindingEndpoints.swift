import APIModels
import ControllerCore
import HTTP
import HTTPTypes

extension APIResources {
    var findings: [Endpoint] { findingViews + findingChanges }

    private var findingViews: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/findings", .read,
                .init(
                    summary: "What is not as it should be, newest first; resolved ones only when asked for",
                    tag: "findings", isForCustomers: true,
                    query: [
                        "limit", "cursor", .word("state", among: FindingQuestion.states),
                        .word("severity", among: FindingQuestion.severities), "kind", "node", "service", "resolved",
                    ],
                    answer: Listing<FindingView>.self)
            ) { call in
                var question = FindingQuestion()
                question.state = try call.query.word("state", among: FindingQuestion.states)
                question.severity = try call.query.word("severity", among: FindingQuestion.severities)
                question.kind = call.query["kind"]
                (question.node, question.service) = (call.query["node"], call.query["service"])
                question.withResolved = try call.query.flag("resolved")
                let wanted = question
                return try await call.page("findings") { try await queries(call).findings(wanted, $0) }
            },
            Endpoint(
                .get, "/api/v1/findings/{finding}", .read,
                .init(summary: "One finding", tag: "findings", isForCustomers: true, answer: FindingView.self)
            ) { call in try await .model(queries(call).finding(call.path("finding"))) },
        ]
    }

    private var findingChanges: [Endpoint] {
        [
            Endpoint(
                .post, "/api/v1/findings/{finding}/acknowledge", .nodes,
                .init(
                    summary: "Say that somebody knows of a finding", tag: "findings", body: NoteRequest.self,
                    isBodyOptional: true, answer: FindingView.self)
            ) { call in
                let (id, note) = (try call.path("finding"), try call.optionalModel(NoteRequest.self)?.note)
                return try await .model(
                    queries(call).changed(operations.acknowledgeFinding(id, note: note, by: call.requester)))
            },
            Endpoint(
                .post, "/api/v1/findings/{finding}/resolve", .nodes,
                .init(
                    summary: "Say that a finding is settled; if it is not, it is raised anew", tag: "findings",
                    body: NoteRequest.self, isBodyOptional: true, answer: FindingView.self)
            ) { call in
                let (id, note) = (try call.path("finding"), try call.optionalModel(NoteRequest.self)?.note)
                return try await .model(
                    queries(call).changed(operations.resolveFinding(id, note: note, by: call.requester)))
            },
        ]
    }
}
