package import Model
import SQL
package import WireProtocol

/// Who changed what.
package struct AuditRecord: Sendable, Hashable {
    /// Sorts by time of making.
    package var id: String
    package var time: Timestamp
    package var actor: String
    package var action: String
    package var subject: String
    package var detail: JSONObject
    package var remote: String?

    package init(
        id: String, time: Timestamp, actor: String, action: String, subject: String,
        detail: JSONObject = [:], remote: String? = nil
    ) {
        self.id = id
        self.time = time
        self.actor = actor
        self.action = action
        self.subject = subject
        self.detail = detail
        self.remote = remote
    }
}

extension AuditRecord: Record {
    static let table = "audit"
    static let key = ["id"]
    static let columns = [
        "id", "time", "actor", "action", "subject", "detail", "remote",
    ]

    init(row: inout any SQLRow) throws(SQLError) {
        id = try row.text()
        time = try row.timestamp()
        actor = try row.text()
        action = try row.text()
        subject = try row.text()
        detail = try row.object()
        remote = try row.optionalText()
    }

    var values: [any SQLBindable] {
        [
            id, time, actor, action, subject, detail, remote,
        ]
    }
}
