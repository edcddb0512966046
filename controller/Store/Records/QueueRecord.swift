package import Model
import SQL
package import WireProtocol

/// A table of somebody's in which work stands, and how it is looked into. Core reads its settings; they hold no secrets.
package struct QueueRecord: Sendable, Hashable {
    package var name: String
    package var settings: JSONObject
    /// False while nothing new is taken.
    package var isEnabled: Bool
    /// Which table it is, whoever looks into it; nil until it was reached.
    package var place: String?
    /// When it is looked into next.
    package var dueAt: Timestamp
    /// Until then somebody is at it.
    package var heldUntil: Timestamp?
    /// The key of the row, as JSON, behind which the next look begins; nil for the first.
    package var afterRow: String?
    /// When it was last looked into.
    package var runAt: Timestamp?
    /// Why the last look came to nothing.
    package var problem: String?
    package var createdAt: Timestamp
    package var updatedAt: Timestamp

    package init(name: String, settings: JSONObject, isEnabled: Bool = true, createdAt: Timestamp) {
        (self.name, self.settings, self.isEnabled) = (name, settings, isEnabled)
        (self.createdAt, updatedAt, dueAt) = (createdAt, createdAt, createdAt)
    }

    /// Of its write-backs, and of what is found about it.
    package var destination: String { Self.destination(name) }

    package static func destination(_ name: String) -> String { "queue/\(name)" }
}

extension QueueRecord: Record {
    static let table = "queues"
    static let key = ["name"]
    static let columns = [
        "name", "settings", "enabled", "place", "due_at", "held_until", "after_row", "run_at", "problem", "created_at",
        "updated_at",
    ]

    init(row: inout any SQLRow) throws(SQLError) {
        name = try row.text()
        settings = try row.object()
        isEnabled = try row.bool()
        place = try row.optionalText()
        dueAt = try row.timestamp()
        heldUntil = try row.optionalTimestamp()
        afterRow = try row.optionalText()
        runAt = try row.optionalTimestamp()
        problem = try row.optionalText()
        createdAt = try row.timestamp()
        updatedAt = try row.timestamp()
    }

    var values: [any SQLBindable] {
        [name, settings, isEnabled, place, dueAt, heldUntil, afterRow, runAt, problem, createdAt, updatedAt]
    }
}
