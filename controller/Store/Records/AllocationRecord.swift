package import Model
import SQL

/// A thing of which there is one: a data set, a container name, a port; held by one service at a time, unique by kind, scope
/// and value, and kept after it was given back.
package struct AllocationRecord: Sendable, Hashable {
    /// `dataset`, `container`, `vmid`, `ip`, `port`, `subdomain`.
    package var kind: String
    /// Where the value must be unique: a node id, a pool, or empty for everywhere.
    package var scope: String
    package var value: String
    package var node: String?
    package var service: String
    /// The operation that took it.
    package var operation: String?
    package var createdAt: Timestamp
    /// What it is for, where a service has several of a kind.
    package var slot: String
    /// Nil while it is held.
    package var releasedAt: Timestamp?
    /// Of a thing that bears our mark: what tells its making from every other. Nil for what bears none, and where nobody knows.
    package var nonce: String?

    package init(
        kind: String, scope: String, value: String, node: String?, service: String, operation: String?,
        createdAt: Timestamp, slot: String = "", releasedAt: Timestamp? = nil, nonce: String? = nil
    ) {
        self.kind = kind
        self.scope = scope
        self.value = value
        self.node = node
        self.service = service
        self.operation = operation
        self.createdAt = createdAt
        self.slot = slot
        self.releasedAt = releasedAt
        self.nonce = nonce
    }
}

extension AllocationRecord: Record {
    static let table = "allocations"
    static let key = ["kind", "scope", "value", "created_at"]
    static let columns = [
        "kind", "scope", "value", "node", "service", "operation", "created_at", "slot", "released_at", "nonce",
    ]

    init(row: inout any SQLRow) throws(SQLError) {
        kind = try row.text()
        scope = try row.text()
        value = try row.text()
        node = try row.optionalText()
        service = try row.text()
        operation = try row.optionalText()
        createdAt = try row.timestamp()
        slot = try row.text()
        releasedAt = try row.optionalTimestamp()
        nonce = try row.optionalText()
    }

    var values: [any SQLBindable] {
        [
            kind, scope, value, node, service, operation, createdAt, slot, releasedAt, nonce,
        ]
    }
}
