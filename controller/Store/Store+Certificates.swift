package import Model
import SQL

extension Store {
    /// Records a certificate before it is sent, and makes it the node's newest.
    package func insertCertificate(_ certificate: CertificateRecord) throws(StoreError) {
        try transaction { () throws(StoreError) in
            try insert(certificate)
            try updateNode(certificate.node) { node in
                node.certificateSerial = certificate.serial
                node.certificateFingerprint = certificate.fingerprint
                node.certificateExpires = certificate.expiresAt
            }
        }
    }

    package func certificate(serial: String) throws(StoreError) -> CertificateRecord? {
        try first(CertificateRecord.self, "WHERE serial = ?", [serial])
    }

    /// By the SHA-256 of the DER, lower-case hex.
    package func certificate(fingerprint: String) throws(StoreError) -> CertificateRecord? {
        try first(CertificateRecord.self, "WHERE fingerprint = ?", [fingerprint])
    }

    package func certificates(node: String) throws(StoreError) -> [CertificateRecord] {
        try select(CertificateRecord.self, "WHERE node = ? ORDER BY expires_at DESC", [node])
    }

    /// Fingerprints that a handshake must refuse although they have not expired.
    package func revokedFingerprints(at time: Timestamp) throws(StoreError) -> [String] {
        let sql = "SELECT fingerprint FROM certificates WHERE revoked_at IS NOT NULL AND expires_at > ?"
        return try rows(sql, [time]) { (row) throws(SQLError) in try row.text() }
    }

    /// Nodes in service whose newest certificate ends before `time`.
    package func nodesWithCertificate(expiringBefore time: Timestamp) throws(StoreError) -> [NodeRecord] {
        let rest = "WHERE revoked_at IS NULL AND certificate_expires < ? ORDER BY certificate_expires, id"
        return try select(NodeRecord.self, rest, [time])
    }
}
