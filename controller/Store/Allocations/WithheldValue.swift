package import Model
import SQL

/// A value that no service gets, for a while or for good.
package struct WithheldValue: Sendable, Hashable {
    package enum Reason: String, Sendable, Hashable, CaseIterable {
        /// Somebody wants it so.
        case reserved
        /// A tool has said that somebody else has it.
        case foreign
        /// A service gave it back lately.
        case resting
    }

    package var id: String
    package var kind: String
    package var scope: String
    package var value: String
    package var reason: Reason
    package var note: String?
    package var since: Timestamp
    /// Nil for never by itself.
    package var until: Timestamp?

    package init(
        id: String = Identifier.make("wth"), kind: String, scope: String, value: String, reason: Reason,
        note: String? = nil, since: Timestamp, until: Timestamp? = nil
    ) {
        (self.id, self.kind, self.scope, self.value) = (id, kind, scope, value)
        (self.reason, self.note, self.since, self.until) = (reason, note, since, until)
    }
}

extension WithheldValue: Record {
    static let table = "withheld_values"
    static let key = ["id"]
    static let columns = ["id", "kind", "scope", "value", "reason", "note", "since", "until"]

    init(row: inout any SQLRow) throws(SQLError) {
        id = try row.text()
        kind = try row.text()
        scope = try row.text()
        value = try row.text()
        reason = try row.named()
        note = try row.optionalText()
        since = try row.timestamp()
        until = try row.optionalTimestamp()
    }

    var values: [any SQLBindable] { [id, kind, scope, value, reason.rawValue, note, since, until] }
}

extension Store {
    /// Withholds a value. One that is withheld already stays so for the longer of the two times, and what is reserved stays
    /// reserved. Whoever holds it keeps it.
    package func withhold(_ withheld: WithheldValue) throws(StoreError) {
        try transaction { () throws(StoreError) in
            let known = "WHERE kind = ? AND scope = ? AND value = ?"
            let place = [withheld.kind, withheld.scope, withheld.value]
            guard let before = try first(WithheldValue.self, known, place) else { return try insert(withheld) }
            guard before.reason != .reserved else { return }
            var after = withheld
            after.id = before.id
            if let earlier = before.until, let later = withheld.until { after.until = max(earlier, later) }
            try overwrite(after)
        }
    }

    package func withheldValue(_ id: String) throws(StoreError) -> WithheldValue? {
        try first(WithheldValue.self, "WHERE id = ?", [id])
    }

    package func withheldValue(kind: String, scope: String, value: String) throws(StoreError) -> WithheldValue? {
        try first(WithheldValue.self, "WHERE kind = ? AND scope = ? AND value = ?", [kind, scope, value])
    }

    package func withheldValues(
        kind: String? = nil, scope: String? = nil, page request: PageRequest = PageRequest()
    ) throws(StoreError) -> Page<WithheldValue> {
        var conditions = Conditions()
        conditions.equal("kind", kind)
        conditions.equal("scope", scope)
        return try page(WithheldValue.self, conditions, request, cursor: \.id)
    }

    /// The value may be given out again. False when it was not withheld.
    package func freeWithheld(_ id: String) throws(StoreError) -> Bool {
        try transaction { () throws(StoreError) in try run("DELETE FROM withheld_values WHERE id = ?", [id]) > 0 }
    }

    /// Removes what is withheld no more. Returns how many.
    package func pruneWithheld(before time: Timestamp, limit: Int = 5000) throws(StoreError) -> Int {
        let sql = """
            DELETE FROM withheld_values WHERE id IN (
                SELECT id FROM withheld_values WHERE until < ? ORDER BY until LIMIT ?)
            """
        return try transaction { () throws(StoreError) in try run(sql, [time, limit]) }
    }
}
