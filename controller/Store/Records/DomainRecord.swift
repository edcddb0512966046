package import Model
import SQL

/// A domain of a customer's own: it and its `www`. Several services may wait for the proof of one; whose it is by then is an
/// allocation of the world.
package struct DomainRecord: Sendable, Hashable {
    /// How far it has come, in this order.
    package enum State: String, Sendable, Hashable, CaseIterable {
        case awaitingProof = "awaiting_proof"
        case proven, routed, certified, active
    }

    package var service: String
    /// In lower case, IDN as punycode, without `www`.
    package var name: String
    /// What the proof must hold.
    package var token: String
    package var state: State
    /// What is missing for the next state; empty where nothing is.
    package var reason: String
    /// The integration at which the service has made a zone for it.
    package var zone: String?
    /// Whether the service has made what serves it: that stays when the state falls back.
    package var isServed: Bool
    /// That has taken it up; nil where none had to.
    package var operation: String?
    package var addedAt: Timestamp
    /// Of the state.
    package var since: Timestamp
    package var checkedAt: Timestamp?
    /// When it is looked at next.
    package var dueAt: Timestamp
    /// Looks one after another that did not find what had been there.
    package var misses: Int64
    /// Checks that were begun without being asked for since the state last changed.
    package var tries: Int64

    package init(
        service: String, name: String, token: String, state: State = .awaitingProof, reason: String = "",
        zone: String? = nil, isServed: Bool = false, operation: String? = nil, addedAt: Timestamp
    ) {
        (self.service, self.name, self.token, self.state) = (service, name, token, state)
        (self.reason, self.zone, self.isServed, self.operation) = (reason, zone, isServed, operation)
        (self.addedAt, since, dueAt, checkedAt) = (addedAt, addedAt, addedAt, nil)
        (misses, tries) = (0, 0)
    }
}

extension DomainRecord.State: Comparable {
    package static func < (left: Self, right: Self) -> Bool {
        (allCases.firstIndex(of: left) ?? 0) < (allCases.firstIndex(of: right) ?? 0)
    }
}

extension DomainRecord: Record {
    static let table = "domains"
    static let key = ["service", "name"]
    static let columns = [
        "service", "name", "token", "state", "reason", "zone", "served", "operation", "added_at", "since",
        "checked_at", "due_at", "misses", "tries",
    ]

    init(row: inout any SQLRow) throws(SQLError) {
        service = try row.text()
        name = try row.text()
        token = try row.text()
        state = try row.named()
        reason = try row.text()
        zone = try row.optionalText()
        isServed = try row.integer() != 0
        operation = try row.optionalText()
        addedAt = try row.timestamp()
        since = try row.timestamp()
        checkedAt = try row.optionalTimestamp()
        dueAt = try row.timestamp()
        misses = try row.integer()
        tries = try row.integer()
    }

    var values: [any SQLBindable] {
        [
            service, name, token, state.rawValue, reason, zone, Int64(isServed ? 1 : 0), operation, addedAt, since,
            checkedAt, dueAt, misses, tries,
        ]
    }
}
