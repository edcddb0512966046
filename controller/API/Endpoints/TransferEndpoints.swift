import APIModels
import ControllerCore
import HTTP
import HTTPTypes
import Model
import WireProtocol

extension APIResources {
    var transfers: [Endpoint] {
        [
            Endpoint(
                .post, "/api/v1/transfers", .commands,
                .init(
                    summary:
                        "Send a ZFS snapshot of one node into a dataset of another; both policies have the last word",
                    tag: "nodes", body: TransferBody.self, answer: AcceptedOperation.self, status: 202, repeated: 200)
            ) { call in
                let order = try call.model(TransferBody.self)
                let request = TransferRequest(
                    from: .init(
                        node: try await end(order.source.node, "source.node", call), dataset: order.source.dataset),
                    to: .init(
                        node: try await end(order.target.node, "target.node", call), dataset: order.target.dataset),
                    snapshot: order.source.snapshot, sending: order.source.arguments,
                    receiving: order.target.arguments,
                    deadline: order.deadlineSeconds.map { .seconds(min(max(0, $0), 1 << 32)) } ?? .seconds(24 * 3600))
                let taken = try await operations.transfer(request, by: call.requester)
                return try await answer(queries(call).accepted(taken), isNew: taken.created)
            }
        ]
    }

    /// The id of a node that is named by its id or name.
    private func end(_ name: String, _ field: String, _ call: APICall) async throws -> String {
        if let id = try await queries(call).knownNodeID(name) { return id }
        throw Problem(.invalidField, "field \(field) names no node: \(name)", field: field)
    }
}

extension TransferSource {
    fileprivate var arguments: JSONObject {
        var arguments: JSONObject = [:]
        arguments["from_snapshot"] = fromSnapshot.map { .string($0) }
        arguments["from_bookmark"] = fromBookmark.map { .string($0) }
        for (name, value) in [
            ("intermediates", intermediates), ("raw", raw), ("compressed", compressed), ("large_blocks", largeBlocks),
        ] { arguments[name] = value.map { .bool($0) } }
        return arguments
    }
}

extension TransferTarget {
    fileprivate var arguments: JSONObject {
        var arguments: JSONObject = [:]
        arguments["overwrite"] = overwrite.map { .bool($0) }
        arguments["readonly"] = readonly.map { .bool($0) }
        arguments["owner"] = owner.map { .string($0) }
        return arguments
    }
}
