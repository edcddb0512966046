package import Model

/// An endpoint of somebody's that is told what happens to services.
package struct WebhookView: Codable, Sendable {
    package var id: String
    package var name: String
    /// It is told of this customer's services alone.
    package var customer: String?
    package var url: String
    /// What it is told of; everything when there are none.
    package var events: [String]
    /// Whether authorities of its own alone may vouch for it.
    package var hasAuthority: Bool
    package var allowPrivate: Bool
    package var createdAt: Timestamp
    package var changedAt: Timestamp
    /// Since then it is told nothing.
    package var disabledAt: Timestamp?
    package var disabledBecause: String?
    /// Until then the secret before this one signs too.
    package var previousSecretUntil: Timestamp?
    /// What messages are signed with: `whsec_…`. Only in the answer that made it.
    package var secret: String?

    package init(
        id: String, name: String, customer: String?, url: String, events: [String], hasAuthority: Bool,
        allowPrivate: Bool, createdAt: Timestamp, changedAt: Timestamp, disabledAt: Timestamp?,
        disabledBecause: String?, previousSecretUntil: Timestamp?, secret: String?
    ) {
        (self.id, self.name, self.customer, self.url) = (id, name, customer, url)
        (self.events, self.hasAuthority, self.allowPrivate) = (events, hasAuthority, allowPrivate)
        (self.createdAt, self.changedAt, self.disabledAt) = (createdAt, changedAt, disabledAt)
        (self.disabledBecause, self.previousSecretUntil) = (disabledBecause, previousSecretUntil)
        self.secret = secret
    }
}

/// `POST /api/v1/webhooks`.
package struct WebhookRequest: Codable, Sendable {
    package var name: String
    /// `https://…`, without user name and fragment.
    package var url: String
    /// Tells it of this customer's services alone. A key that is bound to a customer gives its own.
    package var customer: String?
    /// What it is told of; everything without them.
    package var events: [String]?
    /// PEM certificates that alone may vouch for it.
    package var authority: String?
    /// Whether it may be in a private network, or on the controller's machine, there also without TLS. Needs the scope `admin`.
    package var allowPrivate: Bool?

    package init(
        name: String, url: String, customer: String? = nil, events: [String]? = nil, authority: String? = nil,
        allowPrivate: Bool? = nil
    ) {
        (self.name, self.url, self.customer, self.events) = (name, url, customer, events)
        (self.authority, self.allowPrivate) = (authority, allowPrivate)
    }
}

/// `PUT /api/v1/webhooks/{webhook}`. What is not given stays.
package struct WebhookChange: Codable, Sendable {
    package var name: String?
    package var url: String?
    package var events: [String]?
    /// Empty for the authorities of the machine.
    package var authority: String?
    /// Needs the scope `admin`.
    package var allowPrivate: Bool?
    /// Switched off it is told nothing, and what waits for it is given up.
    package var enabled: Bool?

    package init(
        name: String? = nil, url: String? = nil, events: [String]? = nil, authority: String? = nil,
        allowPrivate: Bool? = nil, enabled: Bool? = nil
    ) {
        (self.name, self.url, self.events) = (name, url, events)
        (self.authority, self.allowPrivate, self.enabled) = (authority, allowPrivate, enabled)
    }
}

/// A message to a webhook.
package struct DeliveryView: Codable, Sendable {
    /// Its `webhook-id`, the same in each attempt.
    package var id: String
    package var event: String
    /// `service/ID`.
    package var subject: String
    /// `waiting`, `delivered` or `dead`: given up, and to be replayed.
    package var state: String
    package var attempts: Int
    package var createdAt: Timestamp
    /// Of one that waits: not before.
    package var dueAt: Timestamp?
    package var finishedAt: Timestamp?
    /// Of the last answer.
    package var status: Int?
    /// Why the last attempt failed.
    package var problem: String?

    package init(
        id: String, event: String, subject: String, state: String, attempts: Int, createdAt: Timestamp,
        dueAt: Timestamp?, finishedAt: Timestamp?, status: Int?, problem: String?
    ) {
        (self.id, self.event, self.subject, self.state) = (id, event, subject, state)
        (self.attempts, self.createdAt, self.dueAt) = (attempts, createdAt, dueAt)
        (self.finishedAt, self.status, self.problem) = (finishedAt, status, problem)
    }
}

/// `POST /api/v1/webhooks/{webhook}/replay`, the body is optional.
package struct ReplayRequest: Codable, Sendable {
    /// One of its deliveries; all that were given up without it.
    package var delivery: String?

    package init(delivery: String? = nil) { self.delivery = delivery }
}

/// How many messages are tried again.
package struct ReplayView: Codable, Sendable {
    package var replayed: Int

    package init(replayed: Int) { self.replayed = replayed }
}
