package import Model
import SQL

/// The answer that was given to an `Idempotency-Key`.
package struct IdempotencyRecord: Sendable, Hashable {
    package var key: String
    /// The API key that used it.
    package var scope: String
    /// Digest of the request: the same key with another request is refused.
    package var digest: String
    /// HTTP status of the answer, 0 while there is none.
    package var status: Int
    package var body: String
    package var createdAt: Timestamp
    package var expiresAt: Timestamp

    package init(
        key: String, scope: String, digest: String, status: Int, body: String, createdAt: Timestamp,
        expiresAt: Timestamp
    ) {
        self.key = key
        self.scope = scope
        self.digest = digest
        self.status = status
        self.body = body
        self.createdAt = createdAt
        self.expiresAt = expiresAt
    }
}

extension IdempotencyRecord: Record {
    static let table = "idempotency"
    static let key = ["scope", "key"]
    /// An answer may hold what was made for its asker alone.
    static var sealedColumns: [SealedColumn<IdempotencyRecord>] { [SealedColumn("body", text: \.body)] }
    static let columns = [
        "key", "scope", "digest", "status", "body", "created_at", "expires_at",
    ]

    init(row: inout any SQLRow) throws(SQLError) {
        key = try row.text()
        scope = try row.text()
        digest = try row.text()
        status = try row.int()
        body = try row.text()
        createdAt = try row.timestamp()
        expiresAt = try row.timestamp()
    }

    var values: [any SQLBindable] {
        [
            key, scope, digest, status, body, createdAt, expiresAt,
        ]
    }
}
