import APIModels
import AgentCommands
import ControllerCore
import HTTP
import HTTPTypes
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
                try await .model(Listing(items: queries(call).actions(ofNode: call.path("node"))))
            },
            Endpoint(
                .post, "/api/v1/nodes/{node}/commands", .commands,
                .init(
                    summary: "Run one action of a driver on a node; the node's own policy has the last word",
                    tag: "nodes", body: CommandBody.self, answer: AcceptedOperation.self, status: 202, repeated: 200)
            ) { call in
                let request = try CommandRequest(call.model(CommandBody.self))
                let taken = try await operations.command(request, on: nodeID(call), by: call.requester)
                return try await answer(queries(call).accepted(taken), isNew: taken.created)
            },
            Endpoint(
                .get, "/api/v1/operations/{operation}/output", .commands,
                .init(
                    summary: "The last that a command has said, at most 256 KiB while it runs, 64 KiB afterwards",
                    tag: "operations", answer: CommandOutput.self)
            ) { call in try await .model(queries(call).output(of: call.path("operation"))) },
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
        let id = try await queries(call).operationID(call.path("operation"))
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
