package import Model

/// A backup of a service.
package struct BackupView: Codable, Sendable {
    package var id: String
    package var service: String
    /// `available`, or `missing` where its storage does not list it any more.
    package var state: String
    /// Who asked for it: `demand` or `schedule`.
    package var cause: String
    package var madeAt: Timestamp
    package var sizeBytes: Int64?
    /// When its storage last listed it with its size.
    package var verifiedAt: Timestamp?
    /// That made it.
    package var node: String?
    package var nodeName: String?
    /// What its storage calls it.
    package var name: String?

    package init(
        id: String, service: String, state: String, cause: String, madeAt: Timestamp, sizeBytes: Int64?,
        verifiedAt: Timestamp?, node: String?, name: String?
    ) {
        (self.id, self.service, self.state, self.cause) = (id, service, state, cause)
        (self.madeAt, self.sizeBytes, self.verifiedAt) = (madeAt, sizeBytes, verifiedAt)
        (self.node, self.name) = (node, name)
    }
}

/// The service that is made of a backup.
package struct RestoreTarget: Codable, Sendable {
    /// The same one and order again is the same service.
    package var externalID: String?
    /// That of the service which the backup is of, without it.
    package var plan: String?
    /// Likewise.
    package var customer: String?

    package init(externalID: String? = nil, plan: String? = nil, customer: String? = nil) {
        (self.externalID, self.plan, self.customer) = (externalID, plan, customer)
    }
}

/// `POST /api/v1/backups/{backup}/restore`. Without `into`, in place.
package struct RestoreBody: Codable, Sendable {
    package var into: RestoreTarget?
    package var reason: String?

    package init(into: RestoreTarget? = nil, reason: String? = nil) { (self.into, self.reason) = (into, reason) }
}
