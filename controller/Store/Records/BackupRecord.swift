package import Model
import SQL

/// A backup of a service, as one of its operations has made it.
package struct BackupRecord: Sendable, Hashable {
    package enum State: String, Sendable, Hashable, CaseIterable {
        case available
        /// Its storage does not list it any more, or lists it with another size.
        case missing
    }

    package enum Cause: String, Sendable, Hashable, CaseIterable {
        case demand
        case schedule
    }

    package var id: String
    package var service: String
    /// What its storage calls it.
    package var name: String
    /// That made it; nil where nobody has noted it.
    package var node: String?
    package var sizeBytes: Int64?
    package var cause: Cause
    package var state: State
    package var madeAt: Timestamp
    /// When its storage last listed it with its size; nil for one that was never read back.
    package var verifiedAt: Timestamp?
    /// When it is looked for next.
    package var dueAt: Timestamp
    /// The operation that restores it into another service. Until that has ended, the backup is not removed.
    package var heldBy: String?

    package init(
        id: String, service: String, name: String, node: String?, sizeBytes: Int64?, cause: Cause = .demand,
        state: State = .available, madeAt: Timestamp
    ) {
        (self.id, self.service, self.name, self.node) = (id, service, name, node)
        (self.sizeBytes, self.cause, self.state, self.madeAt) = (sizeBytes, cause, state, madeAt)
        (verifiedAt, dueAt, heldBy) = (nil, madeAt, nil)
    }
}

extension BackupRecord: Record {
    static let table = "backups"
    static let key = ["id"]
    static let columns = [
        "id", "service", "name", "node", "size_bytes", "cause", "state", "made_at", "verified_at", "due_at", "held_by",
    ]

    init(row: inout any SQLRow) throws(SQLError) {
        id = try row.text()
        service = try row.text()
        name = try row.text()
        node = try row.optionalText()
        sizeBytes = try row.optionalInteger()
        cause = try row.named()
        state = try row.named()
        madeAt = try row.timestamp()
        verifiedAt = try row.optionalTimestamp()
        dueAt = try row.timestamp()
        heldBy = try row.optionalText()
    }

    var values: [any SQLBindable] {
        [
            id, service, name, node, sizeBytes, cause.rawValue, state.rawValue, madeAt, verifiedAt, dueAt, heldBy,
        ]
    }
}
