package import Model
import SQL
package import WireProtocol

/// A request that brought its own credentials: they are kept sealed for as long as its rows need them, and then erased.
package struct QueueRequestRecord: Sendable, Hashable {
    package var id: String
    /// Of its table, and what else it brought. Holds secrets and lies sealed; empty once erased.
    package var settings: JSONObject
    package var askedBy: String
    package var createdAt: Timestamp
    /// It is erased then, whatever is left to do.
    package var expiresAt: Timestamp
    package var erasedAt: Timestamp?

    package init(id: String, settings: JSONObject, askedBy: String, createdAt: Timestamp, expiresAt: Timestamp) {
        (self.id, self.settings, self.askedBy) = (id, settings, askedBy)
        (self.createdAt, self.expiresAt) = (createdAt, expiresAt)
    }

    /// Of its write-backs.
    package var destination: String { Self.destination(id) }

    package static func destination(_ id: String) -> String { "queue-request/\(id)" }
}

extension QueueRequestRecord: Record {
    static let table = "queue_requests"
    static let key = ["id"]
    static var sealedColumns: [SealedColumn<QueueRequestRecord>] { [SealedColumn("settings", \.settings)] }
    static let columns = ["id", "settings", "asked_by", "created_at", "expires_at", "erased_at"]

    init(row: inout any SQLRow) throws(SQLError) {
        id = try row.text()
        settings = try row.object()
        askedBy = try row.text()
        createdAt = try row.timestamp()
        expiresAt = try row.timestamp()
        erasedAt = try row.optionalTimestamp()
    }

    var values: [any SQLBindable] { [id, settings, askedBy, createdAt, expiresAt, erasedAt] }
}
