package import Model
import SQL

/// Which operations are wanted; nil means any.
package struct OperationFilter: Sendable, Hashable {
    package var states: [OperationRecord.State]?
    package var service: String?
    package var node: String?
    package var kind: String?
    /// Of this customer's services.
    package var customer: String?

    package init(
        states: [OperationRecord.State]? = nil, service: String? = nil, node: String? = nil, kind: String? = nil,
        customer: String? = nil
    ) {
        self.states = states
        self.service = service
        self.node = node
        self.kind = kind
        self.customer = customer
    }
}

extension Store {
    /// Puts an operation behind the others of its service. Returns it with its position.
    package func insertOperation(_ operation: OperationRecord) throws(StoreError) -> OperationRecord {
        try transaction { () throws(StoreError) in
            var operation = operation
            operation.position = 0
            if let service = operation.service {
                let sql = "SELECT coalesce(max(position), 0) + 1 FROM operations WHERE service = ?"
                operation.position = try row(sql, [service]) { (row) throws(SQLError) in try row.integer() } ?? 1
            }
            try insert(operation)
            note(operation)
            return operation
        }
    }

    package func operation(_ id: String) throws(StoreError) -> OperationRecord? {
        try first(OperationRecord.self, "WHERE id = ?", [id])
    }

    /// The newest operation of a kind that this caller has asked for under this key since `time`.
    package func operation(
        kind: String, key: String, by requester: String, since time: Timestamp
    ) throws(StoreError) -> OperationRecord? {
        let rest = """
            WHERE idempotency_key = ? AND kind = ? AND requested_by = ? AND created_at >= ?
            ORDER BY id DESC LIMIT 1
            """
        return try first(OperationRecord.self, rest, [key, kind, requester, time])
    }

    package func operations(
        _ filter: OperationFilter = OperationFilter(), page request: PageRequest = PageRequest(order: .descending)
    ) throws(StoreError) -> Page<OperationRecord> {
        var conditions = Conditions()
        conditions.among("state", filter.states?.map(\.rawValue))
        conditions.equal("service", filter.service)
        conditions.equal("node", filter.node)
        conditions.equal("kind", filter.kind)
        if let customer = filter.customer { conditions.belongs(to: customer) }
        return try page(OperationRecord.self, conditions, request, cursor: \.id)
    }

    /// Those that a start of the controller has to take up again: running ones, oldest first.
    package func runningOperations() throws(StoreError) -> [OperationRecord] {
        try select(OperationRecord.self, "WHERE state = 'running' ORDER BY id")
    }

    /// Queued and running operations, of one service or of all, oldest first.
    package func unfinishedOperations(service: String? = nil) throws(StoreError) -> [OperationRecord] {
        var conditions = Conditions()
        conditions.among("state", ["queued", "running"])
        conditions.equal("service", service)
        return try select(OperationRecord.self, "\(conditions.sql) ORDER BY id", conditions.values)
    }

    /// Turns a queued operation into a running one. Nil when somebody else did, or it was cancelled.
    package func claimOperation(_ id: String, at time: Timestamp) throws(StoreError) -> OperationRecord? {
        try transaction { () throws(StoreError) in
            let sql = "UPDATE operations SET state = 'running', started_at = ? WHERE id = ? AND state = 'queued'"
            guard try run(sql, [time, id]) > 0, let operation = try operation(id) else { return nil }
            note(operation)
            return operation
        }
    }

    /// Reads, changes and writes one operation. Returns it as it is afterwards; throws `notFound`.
    @discardableResult
    package func updateOperation(
        _ id: String, _ change: @Sendable (inout OperationRecord) -> Void
    ) throws(StoreError) -> OperationRecord {
        try transaction { () throws(StoreError) in
            guard var operation = try operation(id) else { throw .notFound(kind: "operation", id: id) }
            let before = operation
            change(&operation)
            operation.id = id
            guard operation != before else { return operation }
            try overwrite(operation)
            note(operation)
            return operation
        }
    }

    private func note(_ operation: OperationRecord) {
        note(.operation, operation.id, service: operation.service, node: operation.node)
    }
}
