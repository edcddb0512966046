package import Model
import SQL
package import WireProtocol

/// A join token without its secret.
package struct TokenRecord: Sendable, Hashable {
    package var id: String
    package var secretHash: String
    /// Given to the node that joins.
    package var labels: [String: String]
    package var usesLeft: Int
    package var expiresAt: Timestamp
    package var createdAt: Timestamp
    package var createdBy: String?
    package var revokedAt: Timestamp?
    /// Whoever joins with it is trusted at once.
    package var approves: Bool

    package init(
        id: String, secretHash: String, labels: [String: String] = [:], usesLeft: Int, expiresAt: Timestamp,
        createdAt: Timestamp, createdBy: String? = nil, revokedAt: Timestamp? = nil,
        approves: Bool = false
    ) {
        self.id = id
        self.secretHash = secretHash
        self.labels = labels
        self.usesLeft = usesLeft
        self.expiresAt = expiresAt
        self.createdAt = createdAt
        self.createdBy = createdBy
        self.revokedAt = revokedAt
        self.approves = approves
    }
}

extension TokenRecord: Record {
    static let table = "tokens"
    static let key = ["id"]
    static let columns = [
        "id", "secret_hash", "labels", "uses_left", "expires_at", "created_at", "created_by", "revoked_at",
        "approves",
    ]

    init(row: inout any SQLRow) throws(SQLError) {
        id = try row.text()
        secretHash = try row.text()
        labels = try row.labels()
        usesLeft = try row.int()
        expiresAt = try row.timestamp()
        createdAt = try row.timestamp()
        createdBy = try row.optionalText()
        revokedAt = try row.optionalTimestamp()
        approves = try row.bool()
    }

    var values: [any SQLBindable] {
        [
            id, secretHash, labels.columnText, usesLeft, expiresAt, createdAt, createdBy, revokedAt, approves,
        ]
    }
}

extension JSONValue {
    /// Labels as an object, for the audit log.
    package static func labels(_ labels: [String: String]) -> JSONValue {
        .object(JSONObject(labels.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
    }
}
