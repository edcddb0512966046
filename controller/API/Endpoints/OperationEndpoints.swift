import APIModels
import ControllerCore
import HTTP
import HTTPTypes

extension APIResources {
    var work: [Endpoint] { operationViews + operationChanges }

    private var kinds: [String] { operations.catalogue.types.map(\.kind) }

    private var operationViews: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/operations", .read,
                .init(
                    summary: "Operations, newest first", tag: "operations", isForCustomers: true,
                    query: [
                        "limit", "cursor", .word("state", among: OperationQuestion.states),
                        .text("service", "Id or external id."), .text("node", "Id or name."),
                        .word("kind", among: kinds), "customer",
                    ],
                    answer: Listing<Operation>.self)
            ) { call in
                var question = OperationQuestion()
                question.state = try call.query.word("state", among: OperationQuestion.states)
                (question.service, question.node) = (call.query["service"], call.query["node"])
                question.kind = try call.query.word("kind", among: kinds)
                question.customer = call.query["customer"]
                let wanted = question
                return try await call.page("operations") { try await queries(call).operations(wanted, $0) }
            },
            Endpoint(
                .get, "/api/v1/operations/{operation}", .read,
                .init(
                    summary: "One operation and its steps", tag: "operations", isForCustomers: true,
                    answer: Operation.self)
            ) { call in try await .model(queries(call).operation(named: call.path("operation"))) },
            Endpoint(
                .get, "/api/v1/operations/{operation}/log", .read,
                .init(
                    summary: "What an operation has to tell", tag: "operations", isForCustomers: true,
                    query: ["limit", "cursor"], answer: Listing<LogLine>.self)
            ) { call in try await call.page("log") { try await queries(call).log(call.path("operation"), $0) } },
            Endpoint(
                .get, "/api/v1/operations/{operation}/events", .read,
                .init(
                    summary:
                        "An operation live: events operation, step, log and, of a command for its scope, output, to its end",
                    tag: "operations", isForCustomers: true, mediaType: "text/event-stream")
            ) { call in
                let progress = try await queries(call).progress(of: call.path("operation"), after: call.lastEventID)
                return try stream(OperationEvents(progress: progress), call, alsoOn: progress.bell)
            },
        ]
    }

    /// Whose scope it takes to change an operation depends on what it does.
    private static let access =
        "Needs a key with the scope `services`, for a command on a node or a transfer with the scope `commands`."

    private var operationChanges: [Endpoint] {
        [
            Endpoint(
                .post, "/api/v1/operations/{operation}/cancel", .services,
                .init(
                    summary: "Ask an operation to stop; what it did is undone", tag: "operations",
                    isForCustomers: true, access: Self.access, otherScopes: [.commands], answer: Operation.self)
            ) { call in
                let id = try await changeable(call)
                return try await .model(queries(call).changed(operations.cancel(id, by: call.requester)))
            },
            Endpoint(
                .post, "/api/v1/operations/{operation}/resolve", .services,
                .init(
                    summary: "Say how somebody has seen to what an operation that needs attention has left",
                    tag: "operations", access: Self.access, otherScopes: [.commands],
                    body: OperationResolution.self, answer: Operation.self)
            ) { call in
                let id = try await changeable(call)
                let note = try call.model(OperationResolution.self).note
                return try await .model(queries(call).changed(operations.resolve(id, note: note, by: call.requester)))
            },
        ]
    }

    /// The id of the operation in the path, which the caller may change.
    private func changeable(_ call: APICall) async throws -> String {
        let id = try call.path("operation")
        try call.caller.require(try await queries(call).scope(ofOperation: id))
        return id
    }

    func stream(
        _ source: some EventSource, _ call: APICall, alsoOn bell: AsyncStream<Void>? = nil
    ) throws -> Answer {
        let (keys, key) = (keyCheck, call.caller.key)
        return try call.stream(source, bell: history.bell(), alsoOn: bell) {
            // What cannot be looked up now is looked up with the next sign of life.
            await keys.holds(key) ?? true
        }
    }
}
