package import Model
import SQL
package import WireProtocol

/// Something that must reach somebody else, written in the transaction of its cause.
package struct OutboxRecord: Sendable, Hashable {
    package enum State: String, Sendable, Hashable, CaseIterable {
        case waiting, delivered
        /// Given up; it can be replayed.
        case dead
    }

    /// Sorts by the time of making. The same in every attempt, so that whoever gets it twice can tell.
    package var id: String
    /// Where it goes: `webhook/ID`.
    package var destination: String
    /// What it is about: `service/ID`. To one destination what is about one subject goes in order.
    package var subject: String
    /// Of the event.
    package var kind: String
    /// Holds names of customers and lies sealed.
    package var body: JSONObject
    package var state: State
    /// How often it was tried.
    package var attempts: Int
    /// Not to be tried before.
    package var dueAt: Timestamp
    package var createdAt: Timestamp
    /// When it was delivered or given up.
    package var finishedAt: Timestamp?
    /// Of the last answer.
    package var status: Int?
    /// Why the last attempt failed.
    package var problem: String?

    package init(
        id: String, destination: String, subject: String, kind: String, body: JSONObject, createdAt: Timestamp
    ) {
        (self.id, self.destination, self.subject, self.kind) = (id, destination, subject, kind)
        (self.body, self.createdAt, dueAt) = (body, createdAt, createdAt)
        (state, attempts) = (.waiting, 0)
    }
}

extension OutboxRecord: Record {
    static let table = "outbox"
    static let key = ["id"]
    static var sealedColumns: [SealedColumn<OutboxRecord>] { [SealedColumn("body", \.body)] }
    static let columns = [
        "id", "destination", "subject", "kind", "body", "state", "attempts", "due_at", "created_at", "finished_at",
        "status", "problem",
    ]

    init(row: inout any SQLRow) throws(SQLError) {
        id = try row.text()
        destination = try row.text()
        subject = try row.text()
        kind = try row.text()
        body = try row.object()
        state = try row.named()
        attempts = try row.int()
        dueAt = try row.timestamp()
        createdAt = try row.timestamp()
        finishedAt = try row.optionalTimestamp()
        status = try row.optionalInteger().map { Int(truncatingIfNeeded: $0) }
        problem = try row.optionalText()
    }

    var values: [any SQLBindable] {
        [
            id, destination, subject, kind, body, state.rawValue, attempts, dueAt, createdAt, finishedAt,
            status.map { Int64($0) }, problem,
        ]
    }
}
