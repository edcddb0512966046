package import Model
package import WireProtocol

/// An API key. `secret` is there once, in the answer to its creation.
package struct APIKey: Codable, Sendable {
    package var id: String
    package var name: String
    package var scopes: [String]
    /// The one customer whose things it opens; absent for all.
    package var customer: String?
    package var createdAt: Timestamp
    package var expiresAt: Timestamp?
    package var lastUsedAt: Timestamp?
    package var revokedAt: Timestamp?
    package var secret: String?

    package init(
        id: String, name: String, scopes: [String], customer: String? = nil, createdAt: Timestamp,
        expiresAt: Timestamp?, lastUsedAt: Timestamp?, revokedAt: Timestamp?, secret: String? = nil
    ) {
        self.customer = customer
        self.id = id
        self.name = name
        self.scopes = scopes
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.lastUsedAt = lastUsedAt
        self.revokedAt = revokedAt
        self.secret = secret
    }
}

/// `POST /api/v1/keys`. Without `expires_in_seconds` the key does not expire.
package struct APIKeyRequest: Codable, Sendable {
    package var name: String
    package var scopes: [Scope]
    package var expiresInSeconds: Int?
    /// Binds the key to one customer: it opens what is his, and nothing of the fleet. Its scopes can be `read` and `services`.
    package var customer: String?

    package init(name: String, scopes: [Scope], expiresInSeconds: Int? = nil, customer: String? = nil) {
        self.customer = customer
        self.name = name
        self.scopes = scopes
        self.expiresInSeconds = expiresInSeconds
    }
}

/// One change that somebody made, for good.
package struct AuditEntry: Codable, Sendable {
    package var id: String
    package var time: Timestamp
    /// Who: `key:ID`, `token:ID`, a part of the controller, or `stranger`.
    package var actor: String
    /// What people call it.
    package var actorName: String?
    /// `service.provision`, `node.revoke`, …
    package var action: String
    /// The id of what was changed.
    package var subject: String
    /// An object: what exactly.
    package var detail: JSONValue?
    /// The IP address it came from.
    package var remote: String?

    package init(
        id: String, time: Timestamp, actor: String, actorName: String? = nil, action: String, subject: String,
        detail: JSONValue?, remote: String?
    ) {
        self.id = id
        self.time = time
        self.actor = actor
        self.actorName = actorName
        self.action = action
        self.subject = subject
        self.detail = detail
        self.remote = remote
    }
}

/// Something changed: the data of an event on `GET /api/v1/events`.
package struct ChangeNotice: Codable, Sendable, Hashable {
    /// `node`, `token`, `key`, `plan`, `service`, `operation`, `operation_log`, `event`, `finding`, `audit` or `missed`.
    package var kind: String
    package var id: String
    /// The service that an operation belongs to.
    package var service: String?
    /// The node that a service, an operation or an event belongs to.
    package var node: String?

    package init(kind: String, id: String, service: String? = nil, node: String? = nil) {
        self.kind = kind
        self.id = id
        self.service = service
        self.node = node
    }
}

/// What the health endpoints answer.
package struct Health: Codable, Sendable {
    /// `ok` or `unavailable`.
    package var status: String
    package var detail: String?

    package init(status: String, detail: String? = nil) {
        self.status = status
        self.detail = detail
    }
}
