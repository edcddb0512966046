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

    /// By the SHA-256 of the DER, lower-case hex.
    package func certificate(fingerprint: String) throws(StoreError) -> CertificateRecord? {
        try first(CertificateRecord.self, "WHERE fingerprint = ?", [fingerprint])
    }

    /// Nodes in service whose newest certificate ends before `time`.
    package func nodesWithCertificate(expiringBefore time: Timestamp) throws(StoreError) -> [NodeRecord] {
        let rest = "WHERE revoked_at IS NULL AND certificate_expires < ? ORDER BY certificate_expires, id"
        return try select(NodeRecord.self, rest, [time])
    }
}
