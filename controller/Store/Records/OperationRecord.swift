package import Model
import SQL
package import WireProtocol

/// A durable piece of work on a service or a node.
package struct OperationRecord: Sendable, Hashable {
    package enum State: String, Sendable, Hashable, CaseIterable {
        case queued, running, succeeded, failed, cancelled
        case needsAttention = "needs_attention"
        /// It needed attention, and was seen to.
        case resolved

        /// Nothing more happens to it by itself.
        package var isFinished: Bool { self != .queued && self != .running }
    }

    package var id: String
    /// `provision`, `suspend`, …
    package var kind: String
    package var service: String?
    package var node: String?
    /// Order among the operations of one service, from 1; the store sets it. 0 without a service.
    package var position: Int64
    package var state: State
    package var parameters: JSONObject
    package var result: JSONValue?
    package var error: OperationFailure?
    package var requestedBy: String?
    package var idempotencyKey: String?
    package var createdAt: Timestamp
    package var startedAt: Timestamp?
    package var finishedAt: Timestamp?
    package var cancelRequested: Bool

    package init(
        id: String, kind: String, service: String? = nil, node: String? = nil, position: Int64 = 0,
        state: State = .queued, parameters: JSONObject = [:], result: JSONValue? = nil,
        error: OperationFailure? = nil, requestedBy: String? = nil, idempotencyKey: String? = nil,
        createdAt: Timestamp, startedAt: Timestamp? = nil, finishedAt: Timestamp? = nil,
        cancelRequested: Bool = false
    ) {
        self.id = id
        self.kind = kind
        self.service = service
        self.node = node
        self.position = position
        self.state = state
        self.parameters = parameters
        self.result = result
        self.error = error
        self.requestedBy = requestedBy
        self.idempotencyKey = idempotencyKey
        self.createdAt = createdAt
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.cancelRequested = cancelRequested
    }
}

extension OperationRecord: Record {
    static let table = "operations"
    static let key = ["id"]
    static var sealedColumns: [SealedColumn<OperationRecord>] {
        [SealedColumn("parameters", \.parameters), SealedColumn("result", \.result)]
    }
    static let columns = [
        "id", "kind", "service", "node", "position", "state", "parameters", "result", "error",
        "requested_by", "idempotency_key", "created_at", "started_at", "finished_at", "cancel_requested",
    ]

    init(row: inout any SQLRow) throws(SQLError) {
        id = try row.text()
        kind = try row.text()
        service = try row.optionalText()
        node = try row.optionalText()
        position = try row.integer()
        state = try row.named()
        parameters = try row.object()
        result = try row.optionalJSON()
        error = try row.optionalFailure()
        requestedBy = try row.optionalText()
        idempotencyKey = try row.optionalText()
        createdAt = try row.timestamp()
        startedAt = try row.optionalTimestamp()
        finishedAt = try row.optionalTimestamp()
        cancelRequested = try row.bool()
    }

    var values: [any SQLBindable] {
        [
            id, kind, service, node, position, state.rawValue, parameters, result, error, requestedBy,
            idempotencyKey, createdAt, startedAt, finishedAt, cancelRequested,
        ]
    }
}
