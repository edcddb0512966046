package import Model
package import WireProtocol

/// A table of somebody's in which work stands.
package struct QueueView: Codable, Sendable {
    /// Rows that were taken, by how far they are.
    package struct Rows: Codable, Sendable {
        package var working: Int
        package var watching: Int
        package var ending: Int
        package var done: Int
        package var overtaken: Int
        package var dead: Int

        package init(working: Int, watching: Int, ending: Int, done: Int, overtaken: Int, dead: Int) {
            (self.working, self.watching, self.ending) = (working, watching, ending)
            (self.done, self.overtaken, self.dead) = (done, overtaken, dead)
        }
    }

    package var name: String
    package var settings: JSONValue
    /// False while nothing new is taken.
    package var enabled: Bool
    /// When it is looked into next.
    package var nextAt: Timestamp?
    package var lastAt: Timestamp?
    /// Why the last look came to nothing.
    package var problem: String?
    package var rows: Rows
    package var createdAt: Timestamp
    package var changedAt: Timestamp

    package init(
        name: String, settings: JSONValue, enabled: Bool, nextAt: Timestamp?, lastAt: Timestamp?, problem: String?,
        rows: Rows, createdAt: Timestamp, changedAt: Timestamp
    ) {
        (self.name, self.settings, self.enabled) = (name, settings, enabled)
        (self.nextAt, self.lastAt, self.problem, self.rows) = (nextAt, lastAt, problem, rows)
        (self.createdAt, self.changedAt) = (createdAt, changedAt)
    }
}

/// `POST /api/v1/queues`.
package struct QueueRequest: Codable, Sendable {
    package var name: String
    /// `docs/queues.md` has all of them: `tables`, `plan` and `customer` are needed.
    package var settings: JSONValue

    package init(name: String, settings: JSONValue) { (self.name, self.settings) = (name, settings) }
}

/// `PUT /api/v1/queues/{queue}`. What is not given stays.
package struct QueueChange: Codable, Sendable {
    /// All of them.
    package var settings: JSONValue?
    /// Whether anything new is taken.
    package var enabled: Bool?

    package init(settings: JSONValue? = nil, enabled: Bool? = nil) {
        (self.settings, self.enabled) = (settings, enabled)
    }
}

/// What a look into a queue has come to.
package struct QueueRunView: Codable, Sendable {
    package struct Taken: Codable, Sendable {
        /// Its key, as JSON.
        package var row: String
        package var domain: String
        package var service: String?
        package var operation: String?
        /// False where it was taken before and is under way.
        package var isNew: Bool

        package init(row: String, domain: String, service: String?, operation: String?, isNew: Bool) {
            (self.row, self.domain, self.service) = (row, domain, service)
            (self.operation, self.isNew) = (operation, isNew)
        }
    }

    package var taken: [Taken]
    /// Whether there is more, which is taken soon.
    package var goesOn: Bool
    package var problem: String?

    package init(taken: [Taken], goesOn: Bool, problem: String?) {
        (self.taken, self.goesOn, self.problem) = (taken, goesOn, problem)
    }
}

/// A row that was taken.
package struct QueueClaimView: Codable, Sendable {
    package var id: String
    /// The standing queue that took it, or the request.
    package var queue: String?
    package var request: String?
    /// The row's key, as JSON.
    package var row: String
    package var domain: String
    package var service: String?
    package var operation: String?
    /// `working`, `watching`, `ending`, `done`, `overtaken` or `dead`.
    package var state: String
    /// What was last written back, or is to be.
    package var wanted: JSONValue
    package var problem: String?
    package var createdAt: Timestamp
    package var finishedAt: Timestamp?

    package init(
        id: String, queue: String?, request: String?, row: String, domain: String, service: String?,
        operation: String?, state: String, wanted: JSONValue, problem: String?, createdAt: Timestamp,
        finishedAt: Timestamp?
    ) {
        (self.id, self.queue, self.request, self.row, self.domain) = (id, queue, request, row, domain)
        (self.service, self.operation, self.state) = (service, operation, state)
        (self.wanted, self.problem, self.createdAt, self.finishedAt) = (wanted, problem, createdAt, finishedAt)
    }
}

/// `POST /api/v1/queues/{queue}/replay`, the body is optional.
package struct QueueReplayRequest: Codable, Sendable {
    /// One row alone, by the id of its claim; all that were given up without it.
    package var claim: String?

    package init(claim: String? = nil) { self.claim = claim }
}

/// How many rows are told again.
package struct QueueReplayView: Codable, Sendable {
    package var replayed: Int

    package init(replayed: Int) { self.replayed = replayed }
}
