import APIModels
import ControllerCore
import HTTP
import HTTPTypes
import WireProtocol

extension APIResources {
    /// Tables of others in which work stands.
    var queues: [Endpoint] { queueViews + queueChanges + queueWork }

    private var queueViews: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/queues", .read,
                .init(summary: "All standing queues, by name", tag: "queues", answer: Listing<QueueView>.self)
            ) { call in try await .model(Listing(items: queries(call).queues())) },
            Endpoint(
                .get, "/api/v1/queues/{queue}", .read,
                .init(summary: "One standing queue", tag: "queues", answer: QueueView.self)
            ) { call in try await .model(queries(call).queue(call.path("queue"))) },
            Endpoint(
                .get, "/api/v1/queue-claims", .read,
                .init(
                    summary: "Rows that were taken, by standing queues and requests, newest first", tag: "queues",
                    query: ["limit", "cursor", "queue", .word("state", among: Queries.claimStates)],
                    answer: Listing<QueueClaimView>.self)
            ) { call in
                let (queue, state) = (call.query["queue"], try call.query.word("state", among: Queries.claimStates))
                return try await call.page("queue-claims") {
                    try await queries(call).queueClaims(queue: queue, state: state, $0)
                }
            },
        ]
    }

    private var queueChanges: [Endpoint] {
        [
            Endpoint(
                .post, "/api/v1/queues", .admin,
                .init(
                    summary: "Have a table looked into from now on", tag: "queues", body: QueueRequest.self,
                    answer: QueueView.self, status: 201)
            ) { call in
                let wanted = try call.model(QueueRequest.self)
                let made = try await operations.addQueue(
                    name: wanted.name, settings: wanted.settings.fields("settings"), by: call.requester)
                return try .model(made, status: 201, location: "/api/v1/queues/\(made.name)")
            },
            Endpoint(
                .put, "/api/v1/queues/{queue}", .admin,
                .init(
                    summary:
                        "Change its settings as a whole, or whether it takes anything new; what is not given stays",
                    tag: "queues", body: QueueChange.self, answer: QueueView.self)
            ) { call in
                let change = try call.model(QueueChange.self)
                return try await .model(
                    operations.updateQueue(
                        name: call.path("queue"), settings: change.settings?.fields("settings"),
                        isEnabled: change.enabled, by: call.requester))
            },
            Endpoint(
                .delete, "/api/v1/queues/{queue}", .admin,
                .init(
                    summary: "Remove one, with all that it was still to write; the services that it made stay",
                    tag: "queues", status: 204)
            ) { call in
                try await operations.removeQueue(name: call.path("queue"), by: call.requester)
                return .nothing
            },
        ]
    }

    private var queueWork: [Endpoint] {
        [
            Endpoint(
                .post, "/api/v1/queues/{queue}/run", .services,
                .init(summary: "Look into it now", tag: "queues", answer: QueueRunView.self)
            ) { call in try await .model(operations.runQueue(call.path("queue"), by: call.requester)) },
            Endpoint(
                .post, "/api/v1/queues/{queue}/replay", .services,
                .init(
                    summary: "Tell rows again what was given up, one or all", tag: "queues",
                    body: QueueReplayRequest.self, isBodyOptional: true, answer: QueueReplayView.self)
            ) { call in
                let wanted = try call.optionalModel(QueueReplayRequest.self)
                return try await .model(
                    QueueReplayView(
                        replayed: operations.replayQueue(
                            call.path("queue"), claim: wanted?.claim, by: call.requester)))
            },
        ]
    }
}
