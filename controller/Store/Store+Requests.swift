package import Model
import SQL

/// What came of trying to use an idempotency key.
package enum IdempotencyOutcome: Sendable, Hashable {
    /// The key is new and now taken: do the work.
    case fresh
    /// The same request was answered before.
    case answered(IdempotencyRecord)
    /// The same request is being worked on.
    case inProgress
    /// The key belongs to another request.
    case mismatch
}

extension Store {
    /// Takes the key for this request, best in one transaction with the work. An expired record counts as none.
    package func beginIdempotent(_ record: IdempotencyRecord) throws(StoreError) -> IdempotencyOutcome {
        try transaction { () throws(StoreError) in
            let stored = try idempotency(scope: record.scope, key: record.key)
            guard let stored, stored.expiresAt > record.createdAt else {
                try upsert(record)
                return .fresh
            }
            guard stored.digest == record.digest else { return .mismatch }
            return stored.status == 0 ? .inProgress : .answered(stored)
        }
    }

    package func idempotency(scope: String, key: String) throws(StoreError) -> IdempotencyRecord? {
        try first(IdempotencyRecord.self, "WHERE scope = ? AND key = ?", [scope, key])
    }

    package func finishIdempotent(scope: String, key: String, status: Int, body: String) throws(StoreError) {
        try transaction { () throws(StoreError) in
            guard var record = try idempotency(scope: scope, key: key) else {
                throw .notFound(kind: "idempotency key", id: key)
            }
            (record.status, record.body) = (status, body)
            try overwrite(record)
        }
    }

    /// Gives the key free: the work was not done, the client may try again.
    package func dropIdempotent(scope: String, key: String) throws(StoreError) {
        try transaction { () throws(StoreError) in
            _ = try run("DELETE FROM idempotency WHERE scope = ? AND key = ? AND status = 0", [scope, key])
        }
    }

    /// Returns how many were removed.
    package func pruneIdempotency(before time: Timestamp, limit: Int = 1000) throws(StoreError) -> Int {
        let sql = """
            DELETE FROM idempotency WHERE (scope, key) IN (
                SELECT scope, key FROM idempotency WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)
            """
        return try transaction { () throws(StoreError) in try run(sql, [time, limit]) }
    }
}

extension Store {
    package func audit(_ record: AuditRecord) throws(StoreError) {
        try transaction { () throws(StoreError) in
            try insert(record)
            note(.audit, record.id)
        }
    }

    /// - Parameters:
    ///   - subjects: only rows about one of these.
    ///   - actors: only rows of one of these.
    package func auditLog(
        subjects: [String]? = nil, actors: [String]? = nil, actions: [String]? = nil,
        page request: PageRequest = PageRequest(order: .descending)
    ) throws(StoreError) -> Page<AuditRecord> {
        var conditions = Conditions()
        conditions.among("subject", subjects)
        conditions.among("actor", actors)
        conditions.among("action", actions)
        return try page(AuditRecord.self, conditions, request, cursor: \.id)
    }
}

extension Store {
    package func setting(_ name: String) throws(StoreError) -> String? {
        try row("SELECT value FROM settings WHERE name = ?", [name]) { (row) throws(SQLError) in try row.text() }
    }

    package func setSetting(_ name: String, _ value: String) throws(StoreError) {
        try transaction { () throws(StoreError) in
            let sql =
                "INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
            try run(sql, [name, value])
        }
    }
}
