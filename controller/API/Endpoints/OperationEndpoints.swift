import APIModels
import ControllerCore
import HTTP
import HTTPTypes
import Store

extension APIResources {
    var work: [Endpoint] { operationViews + operationChanges }

    private var kinds: [String] { operations.catalogue.types.map(\.kind) }

    private var operationViews: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/operations", .read,
                .init(
                    summary: "Operations, newest first", tag: "operations",
                    query: [
                        "limit", "cursor", .word("state", OperationRecord.State.self),
                        .text("service", "Id or external id."), .text("node", "Id or name."),
                        .word("kind", among: kinds), "customer",
                    ],
                    answer: Listing<Operation>.self)
            ) { call in
                let filter = OperationFilter(
                    states: try call.query.word("state", OperationRecord.State.self).map { [$0] },
                    service: try await Names(store).serviceID(call.query["service"]),
                    node: try await Names(store).nodeID(call.query["node"]),
                    kind: try call.query.word("kind", among: kinds),
                    customer: call.query["customer"])
                let page = try await store.operations(filter, page: call.pageRequest("operations", order: .descending))
                return try await told(page.view("operations") { Operation(summaryOf: $0) })
            },
            Endpoint(
                .get, "/api/v1/operations/{operation}", .read,
                .init(summary: "One operation and its steps", tag: "operations", answer: Operation.self)
            ) { call in
                let record = try await operation(call)
                let outline = try await operations.outline(of: record)
                let steps = StepHistory(outline, try await store.journal(record.id)).steps
                return try await told(
                    Operation(record, steps: steps, withResult: call.caller.scopes.permits(.commands)))
            },
            Endpoint(
                .get, "/api/v1/operations/{operation}/log", .read,
                .init(
                    summary: "What an operation has to tell", tag: "operations", query: ["limit", "cursor"],
                    answer: Listing<LogLine>.self)
            ) { call in try await log(call) },
            Endpoint(
                .get, "/api/v1/operations/{operation}/events", .read,
                .init(
                    summary:
                        "An operation live: events operation, step, log and, of a command for its scope, output, to its end",
                    tag: "operations",
                    mediaType: "text/event-stream")
            ) { call in
                let record = try await operation(call)
                // What a command says is for those who may run one.
                let hears = record.kind == NodeCommand.kind && call.caller.scopes.permits(.commands)
                let live = hears ? operations.live : nil
                let outline = try await operations.outline(of: record)
                let source = OperationEvents(store, record, outline, live, after: call.lastEventID)
                return try stream(source, call, alsoOn: live?.bell(of: record.id))
            },
        ]
    }

    private var operationChanges: [Endpoint] {
        [
            Endpoint(
                .post, "/api/v1/operations/{operation}/cancel", .read,
                .init(
                    summary: "Ask an operation to stop; what it did is undone", tag: "operations",
                    access:
                        "Needs a key with the scope `services`, for a command on a node or a transfer with the scope `commands`.",
                    answer: Operation.self)
            ) { call in
                if !call.caller.scopes.permits(.commands) { try call.caller.require(.services) }
                let record = try await operation(call)
                try call.caller.require(operations.scope(of: record))
                return try await told(Operation(operations.cancel(record.id, by: call.requester)))
            },
            Endpoint(
                .post, "/api/v1/operations/{operation}/resolve", .read,
                .init(
                    summary: "Say how somebody has seen to what an operation that needs attention has left",
                    tag: "operations",
                    access:
                        "Needs a key with the scope `services`, for a command on a node or a transfer with the scope `commands`.",
                    body: OperationResolution.self, answer: Operation.self)
            ) { call in
                if !call.caller.scopes.permits(.commands) { try call.caller.require(.services) }
                let record = try await operation(call)
                try call.caller.require(operations.scope(of: record))
                let note = try call.model(OperationResolution.self).note
                return try await told(Operation(operations.resolve(record.id, note: note, by: call.requester)))
            },
        ]
    }

    private func log(_ call: APICall) async throws -> Answer {
        let list = "log"
        let request = try call.pageRequest(list)
        let record = try await operation(call)
        let after = request.after.flatMap { Int64($0) } ?? 0
        let lines = try await store.log(record.id, after: after, limit: request.limit + 1)
        let shown = lines.prefix(request.limit)
        let next = lines.count > request.limit ? shown.last.map { Cursor.text(String($0.seq), list: list) } : nil
        return try .model(Listing(items: shown.map { LogLine($0) }, next: next))
    }

    func stream(
        _ source: some EventSource, _ call: APICall, alsoOn bell: AsyncStream<Void>? = nil
    ) throws -> Answer {
        let (store, now, key) = (store, now, call.caller.key)
        return try call.stream(source, bell: history.bell(), alsoOn: bell) {
            // What cannot be looked up now is looked up with the next sign of life.
            guard let record = try? await store.key(key) else { return true }
            return record.isValid(at: now())
        }
    }
}

extension Operations {
    /// Whose scope it takes to change an operation.
    fileprivate func scope(of operation: OperationRecord) -> Scope {
        catalogue.type(operation.kind)?.access == .commands ? .commands : .services
    }
}
