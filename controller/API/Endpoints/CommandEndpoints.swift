import APIModels
import AgentCommands
import ControllerCore
import HTTP
import HTTPTypes
import Store
import WireProtocol

extension APIResources {
    var commands: [Endpoint] {
        [
            Endpoint(
                .get, "/api/v1/nodes/{node}/actions", .read,
                .init(
                    summary: "What the drivers of a node can do and take, as it said when it last connected",
                    tag: "nodes",
                    answer: Listing<ActionOffer>.self)
            ) { call in
                let catalogue = try await store.catalogue(of: node(call).id)
                return try .model(Listing(items: ActionOffer.all(in: catalogue)))
            },
            Endpoint(
                .post, "/api/v1/nodes/{node}/commands", .commands,
                .init(
                    summary: "Run one action of a driver on a node; the node's own policy has the last word",
                    tag: "nodes", body: CommandBody.self, answer: AcceptedOperation.self, status: 202, repeated: 200)
            ) { call in
                let request = try CommandRequest(call.model(CommandBody.self))
                let taken = try await operations.command(request, on: node(call).id, by: call.requester)
                let accepted = AcceptedOperation(operation: Operation(taken.operation), service: nil)
                return try await answer(accepted, isNew: taken.created)
            },
            Endpoint(
                .get, "/api/v1/operations/{operation}/output", .commands,
                .init(
                    summary: "The last that a command has said, at most 256 KiB while it runs, 64 KiB afterwards",
                    tag: "operations", answer: CommandOutput.self)
            ) { call in
                let record = try await operation(call)
                let chunks = try await store.lastOutput(of: record.id, operations.live, after: OutputPlace())
                return try .model(CommandOutput(pieces: chunks.map { OutputPiece($0) }))
            },
            Endpoint(
                .post, "/api/v1/operations/{operation}/input", .commands,
                .init(
                    summary:
                        "Bytes for the standard input of a running command, at most 128 KiB at once; or the size of its terminal",
                    tag: "operations", body: InputBody.self, answer: InputTaken.self)
            ) { call in try await input(call) },
        ]
    }

    private func input(_ call: APICall) async throws -> Answer {
        let order = try call.model(InputBody.self)
        let bytes = try order.checked
        let id = try await operation(call).id
        if let screen = try order.screen {
            _ = try await operations.resize(rows: screen.rows, columns: screen.columns, of: id)
            if bytes.isEmpty, order.end != true { return try .model(InputTaken(offset: order.offset)) }
        }
        switch try await operations.input(bytes, at: order.offset, end: order.end ?? false, to: id) {
        case .taken(let place): return try .model(InputTaken(offset: place))
        case .full: return try .model(InputTaken(offset: order.offset))
        case .gap(let place):
            throw Problem(.conflict, "the input of \(id) goes on at byte \(place)", field: "offset")
        case .ended: throw Problem(.conflict, "the input of \(id) was ended before")
        case .unknown: throw Problem(.conflict, "the command of \(id) takes no input: it has ended, or not begun yet")
        }
    }
}

extension InputBody {
    /// The size of a terminal; nil where none is given.
    fileprivate var screen: (rows: Int64, columns: Int64)? {
        get throws(Problem) {
            guard rows != nil || columns != nil else { return nil }
            for (field, value) in [("rows", rows), ("columns", columns)] {
                guard let value, Input.screenRange.contains(value) else {
                    throw Problem(.invalidField, "field \(field) must be from 1 to 10000", field: field)
                }
            }
            return (rows ?? 0, columns ?? 0)
        }
    }

    /// The bytes, at most 128 KiB.
    fileprivate var checked: [UInt8] {
        get throws(Problem) {
            guard offset >= 0 else {
                throw Problem(.invalidField, "field offset must not be negative", field: "offset")
            }
            guard text == nil || base64 == nil else {
                throw Problem(.invalidField, "field base64 must be absent where text is given", field: "base64")
            }
            guard let bytes = base64.map({ Base64.decode($0) }) ?? Array((text ?? "").utf8) else {
                throw Problem(.invalidField, "field base64 must be base 64 with padding", field: "base64")
            }
            guard bytes.count <= 128 << 10 else { throw Problem(.tooLarge, "the input has more than 128 KiB") }
            return bytes
        }
    }
}

extension OutputPiece {
    init(_ chunk: OutputChunk) {
        let text = String(validating: chunk.bytes, as: UTF8.self)
        self.init(
            stream: chunk.stream.code, offset: chunk.offset, text: text,
            base64: text == nil ? Base64.encode(chunk.bytes) : nil)
    }
}

extension Store {
    /// What an operation's command has said behind a place: live while it runs, then what was kept.
    nonisolated func lastOutput(
        of operation: String, _ live: LiveCommands, after place: OutputPlace
    ) async throws(StoreError) -> [OutputChunk] {
        if let output = live.output(of: operation) { return output.read(after: place) }
        let kept = try await output(of: operation)?.asArray ?? []
        return kept.compactMap { OutputChunk($0) }.compactMap { chunk in
            var rest = chunk
            let known = min(Int64(chunk.bytes.count), max(0, place[chunk.stream] - chunk.offset))
            rest.bytes.removeFirst(Int(known))
            rest.offset += known
            return rest.bytes.isEmpty ? nil : rest
        }
    }
}

extension CommandRequest {
    init(_ order: CommandBody) throws(Problem) {
        self.init(
            operation: order.operation, resource: order.resource,
            arguments: try Self.object(order.arguments, "arguments"),
            secrets: try Self.object(order.secrets, "secrets"),
            deadline: order.deadlineSeconds.map { .seconds(min(max(0, $0), 1 << 32)) },
            isFollowed: order.follow ?? false, isAttended: order.attended ?? false)
    }

    private static func object(_ value: JSONValue?, _ field: String) throws(Problem) -> JSONObject {
        guard let value else { return [:] }
        guard let object = value.asObject else {
            throw Problem(.invalidField, "field \(field) must be an object", field: field)
        }
        return object
    }
}

extension ActionOffer {
    static func all(in catalogue: JSONValue?) -> [ActionOffer] {
        (catalogue?.asArray ?? []).flatMap { entry -> [ActionOffer] in
            guard let driver = entry["driver"]?.asString else { return [] }
            return (entry["operations"]?.asArray ?? []).compactMap { ActionOffer($0, of: driver) }
        }
    }

    private init?(_ offer: JSONValue, of driver: String) {
        guard let name = offer["name"]?.asString, let kind = offer["kind"]?.asString else { return nil }
        self.init(
            driver: driver, name: "\(driver).\(name)", kind: kind, summary: offer["summary"]?.asString ?? "",
            deadlineSeconds: ((offer["deadline_ms"]?.asInteger ?? 0) + 999) / 1000,
            guarded: offer["guarded"]?.asBool ?? false, allowed: offer["allowed"]?.asBool ?? false,
            input: offer["input"]?.asString, output: offer["output"]?.asBool, resource: offer["resource"]?.asString,
            arguments: offer["arguments"], secrets: offer["secrets"])
    }
}
