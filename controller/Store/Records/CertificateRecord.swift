package import Model
import SQL

/// A client certificate that the controller issued to a node.
package struct CertificateRecord: Sendable, Hashable {
    /// Lower-case hex.
    package var serial: String
    package var node: String
    /// SHA-256 of the DER, lower-case hex. Unique.
    package var fingerprint: String
    package var issuedAt: Timestamp
    package var expiresAt: Timestamp
    package var revokedAt: Timestamp?

    package init(
        serial: String, node: String, fingerprint: String, issuedAt: Timestamp, expiresAt: Timestamp,
        revokedAt: Timestamp? = nil
    ) {
        self.serial = serial
        self.node = node
        self.fingerprint = fingerprint
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
    }
}

extension CertificateRecord: Record {
    static let table = "certificates"
    static let key = ["serial"]
    static let columns = [
        "serial", "node", "fingerprint", "issued_at", "expires_at", "revoked_at",
    ]

    init(row: inout any SQLRow) throws(SQLError) {
        serial = try row.text()
        node = try row.text()
        fingerprint = try row.text()
        issuedAt = try row.timestamp()
        expiresAt = try row.timestamp()
        revokedAt = try row.optionalTimestamp()
    }

    var values: [any SQLBindable] {
        [
            serial, node, fingerprint, issuedAt, expiresAt, revokedAt,
        ]
    }
}
