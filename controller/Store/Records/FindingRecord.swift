package import Model
import SQL
package import WireProtocol

/// Something that is not as it should be, from when it was first seen until it was resolved.
package struct FindingRecord: Sendable, Hashable {
    package enum Severity: String, Sendable, Hashable, CaseIterable {
        /// Good to know; nobody needs to do anything.
        case info
        /// Somebody should look at it by day.
        case warning
        /// A service, money or data is at risk now.
        case error
    }

    /// Sorts by the time of the first sight.
    package var id: String
    package var kind: String
    package var subject: String
    package var severity: Severity
    package var node: String?
    package var service: String?
    package var summary: String
    package var remedy: String
    package var data: JSONObject
    package var since: Timestamp
    package var lastSeen: Timestamp
    package var acknowledgedAt: Timestamp?
    package var acknowledgedBy: String?
    package var resolvedAt: Timestamp?
    package var resolvedBy: String?
    /// What the person who acknowledged or resolved it had to say.
    package var note: String?

    init(id: String, _ finding: Finding, at time: Timestamp) {
        self.id = id
        kind = finding.kind
        subject = finding.subject
        severity = finding.severity
        node = finding.node
        service = finding.service
        summary = finding.summary
        remedy = finding.remedy
        data = finding.data
        since = time
        lastSeen = time
    }
}

extension FindingRecord: Record {
    static let table = "findings"
    static let key = ["id"]
    static let columns = [
        "id", "kind", "subject", "severity", "node", "service", "summary", "remedy", "data", "since", "last_seen",
        "acknowledged_at", "acknowledged_by", "resolved_at", "resolved_by", "note",
    ]

    init(row: inout any SQLRow) throws(SQLError) {
        id = try row.text()
        kind = try row.text()
        subject = try row.text()
        severity = try row.named()
        node = try row.optionalText()
        service = try row.optionalText()
        summary = try row.text()
        remedy = try row.text()
        data = try row.object()
        since = try row.timestamp()
        lastSeen = try row.timestamp()
        acknowledgedAt = try row.optionalTimestamp()
        acknowledgedBy = try row.optionalText()
        resolvedAt = try row.optionalTimestamp()
        resolvedBy = try row.optionalText()
        note = try row.optionalText()
    }

    var values: [any SQLBindable] {
        [
            id, kind, subject, severity.rawValue, node, service, summary, remedy, data, since, lastSeen,
            acknowledgedAt, acknowledgedBy, resolvedAt, resolvedBy, note,
        ]
    }
}
