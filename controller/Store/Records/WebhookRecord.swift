package import Model
import SQL
package import WireProtocol

/// An endpoint of somebody's that is told what happens.
package struct WebhookRecord: Sendable, Hashable {
    package var id: String
    package var name: String
    /// The customer who made it, and may see and change it; nil for the operator's, whoever it is told of.
    package var owner: String?
    /// It is told of this customer's services alone; nil for all.
    package var customer: String?
    /// May hold a secret, and lies sealed.
    package var url: String
    /// Kinds of events; none for all.
    package var events: [String]
    /// PEM certificates that alone may vouch for it; nil for the machine's.
    package var authority: String?
    /// Whether it may be in a private network.
    package var allowsPrivate: Bool
    /// What messages are signed with, newest first: `[{"secret", "until"?}]`. Lies sealed.
    package var secrets: JSONObject
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    package var disabledAt: Timestamp?
    package var disabledBecause: String?

    package init(
        id: String, name: String, owner: String? = nil, customer: String?, url: String, events: [String],
        authority: String?, allowsPrivate: Bool, secrets: JSONObject, createdAt: Timestamp
    ) {
        (self.id, self.name, self.owner, self.customer, self.url) = (id, name, owner, customer, url)
        (self.events, self.authority, self.allowsPrivate) = (events, authority, allowsPrivate)
        (self.secrets, self.createdAt, updatedAt) = (secrets, createdAt, createdAt)
    }

    /// Of its messages.
    package var destination: String { "webhook/\(id)" }
}

extension WebhookRecord: Record {
    static let table = "webhooks"
    static let key = ["id"]
    static var sealedColumns: [SealedColumn<WebhookRecord>] {
        [SealedColumn("url", text: \.url), SealedColumn("secrets", \.secrets)]
    }
    static let columns = [
        "id", "name", "owner", "customer", "url", "events", "authority", "allows_private", "secrets", "created_at",
        "updated_at", "disabled_at", "disabled_because",
    ]

    init(row: inout any SQLRow) throws(SQLError) {
        id = try row.text()
        name = try row.text()
        owner = try row.optionalText()
        customer = try row.optionalText()
        url = try row.text()
        events = try row.strings()
        authority = try row.optionalText()
        allowsPrivate = try row.bool()
        secrets = try row.object()
        createdAt = try row.timestamp()
        updatedAt = try row.timestamp()
        disabledAt = try row.optionalTimestamp()
        disabledBecause = try row.optionalText()
    }

    var values: [any SQLBindable] {
        [
            id, name, owner, customer, url, events.columnText, authority, allowsPrivate, secrets, createdAt, updatedAt,
            disabledAt, disabledBecause,
        ]
    }
}
