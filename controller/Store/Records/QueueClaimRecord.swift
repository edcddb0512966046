package import Model
import SQL
package import WireProtocol

/// A row of somebody's table that was taken: nobody else takes it while this is open.
package struct QueueClaimRecord: Sendable, Hashable {
    package enum State: String, Sendable, Hashable, CaseIterable {
        /// Its operation is under way.
        case working
        /// The service is there, and something is still to come that the row is told of.
        case watching
        /// Nothing more is to come; what was written back last is not acknowledged yet.
        case ending
        case done
        /// Somebody else has changed the row meanwhile, and it was left so.
        case overtaken
        /// What was to be written back was given up; it can be replayed.
        case dead

        package var isFinished: Bool { [.done, .overtaken, .dead].contains(self) }
    }

    package var id: String
    /// Which table the row is of.
    package var place: String
    /// The row's key, as JSON.
    package var row: String
    /// The standing queue that took it, or the request.
    package var queue: String?
    package var request: String?
    package var domain: String
    package var service: String?
    package var operation: String?
    package var state: State
    /// What was last posted for the row.
    package var wanted: JSONObject
    /// The newest of its messages that was delivered: older ones are news no more.
    package var told: String?
    package var problem: String?
    package var createdAt: Timestamp
    /// When it is looked at next.
    package var dueAt: Timestamp
    package var finishedAt: Timestamp?

    package init(
        id: String, place: String, row: String, queue: String?, request: String?, domain: String,
        service: String? = nil, operation: String? = nil, state: State = .working, createdAt: Timestamp
    ) {
        (self.id, self.place, self.row, self.queue, self.request) = (id, place, row, queue, request)
        (self.domain, self.service, self.operation, self.state) = (domain, service, operation, state)
        (wanted, self.createdAt, dueAt) = ([:], createdAt, createdAt)
    }

    /// Of its messages.
    package var subject: String { "claim/\(id)" }

    /// Where its messages go.
    package var destination: String {
        queue.map { QueueRecord.destination($0) } ?? QueueRequestRecord.destination(request ?? "")
    }
}

extension QueueClaimRecord: Record {
    static let table = "queue_claims"
    static let key = ["id"]
    static let columns = [
        "id", "place", "row_key", "queue", "request", "domain", "service", "operation", "state", "wanted", "told",
        "problem", "created_at", "due_at", "finished_at",
    ]

    init(row: inout any SQLRow) throws(SQLError) {
        id = try row.text()
        place = try row.text()
        self.row = try row.text()
        queue = try row.optionalText()
        request = try row.optionalText()
        domain = try row.text()
        service = try row.optionalText()
        operation = try row.optionalText()
        state = try row.named()
        wanted = try row.object()
        told = try row.optionalText()
        problem = try row.optionalText()
        createdAt = try row.timestamp()
        dueAt = try row.timestamp()
        finishedAt = try row.optionalTimestamp()
    }

    var values: [any SQLBindable] {
        [
            id, place, row, queue, request, domain, service, operation, state.rawValue, wanted, told, problem,
            createdAt, dueAt, finishedAt,
        ]
    }
}
