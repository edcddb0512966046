package import Model
import SQL

/// An API key without its secret.
package struct KeyRecord: Sendable, Hashable {
    package var id: String
    package var name: String
    /// Hash of the secret.
    package var hash: String
    package var scopes: [String]
    package var role: String
    /// The one customer that the key may see, nil for all.
    package var customer: String?
    package var expiresAt: Timestamp?
    package var createdAt: Timestamp
    package var lastUsedAt: Timestamp?
    package var revokedAt: Timestamp?

    package init(
        id: String, name: String, hash: String, scopes: [String], role: String, customer: String? = nil,
        expiresAt: Timestamp? = nil, createdAt: Timestamp, lastUsedAt: Timestamp? = nil,
        revokedAt: Timestamp? = nil
    ) {
        self.id = id
        self.name = name
        self.hash = hash
        self.scopes = scopes
        self.role = role
        self.customer = customer
        self.expiresAt = expiresAt
        self.createdAt = createdAt
        self.lastUsedAt = lastUsedAt
        self.revokedAt = revokedAt
    }
}

extension KeyRecord {
    /// Neither revoked nor expired.
    package func isValid(at time: Timestamp) -> Bool {
        revokedAt == nil && (expiresAt.map { $0 > time } ?? true)
    }
}

extension KeyRecord: Record {
    static let table = "api_keys"
    static let key = ["id"]
    static let columns = [
        "id", "name", "hash", "scopes", "role", "customer", "expires_at", "created_at", "last_used_at",
        "revoked_at",
    ]

    init(row: inout any SQLRow) throws(SQLError) {
        id = try row.text()
        name = try row.text()
        hash = try row.text()
        scopes = try row.strings()
        role = try row.text()
        customer = try row.optionalText()
        expiresAt = try row.optionalTimestamp()
        createdAt = try row.timestamp()
        lastUsedAt = try row.optionalTimestamp()
        revokedAt = try row.optionalTimestamp()
    }

    var values: [any SQLBindable] {
        [
            id, name, hash, scopes.columnText, role, customer, expiresAt, createdAt, lastUsedAt, revokedAt,
        ]
    }
}
