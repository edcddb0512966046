package import Model
package import WireProtocol

/// Something that is not as it should be.
package struct FindingView: Codable, Sendable {
    package var id: String
    /// `drift.missing`, `clock.ahead`, …
    package var kind: String
    /// What it is about: `service/ID`, `node/ID`, `operation/ID`.
    package var subject: String
    /// `info`, `warning` or `error`.
    package var severity: String
    /// `open`, `acknowledged` or `resolved`.
    package var state: String
    package var node: String?
    /// What people call it; absent once the node is removed.
    package var nodeName: String?
    package var service: String?
    /// What is so, in one sentence.
    package var summary: String
    /// What to do, in one sentence.
    package var remedy: String
    package var since: Timestamp
    package var lastSeen: Timestamp
    package var data: JSONValue?
    package var acknowledgedAt: Timestamp?
    package var acknowledgedBy: String?
    package var resolvedAt: Timestamp?
    package var resolvedBy: String?
    package var note: String?

    package init(
        id: String, kind: String, subject: String, severity: String, state: String, node: String?, service: String?,
        summary: String, remedy: String, since: Timestamp, lastSeen: Timestamp, data: JSONValue?
    ) {
        self.id = id
        self.kind = kind
        self.subject = subject
        self.severity = severity
        self.state = state
        self.node = node
        self.service = service
        self.summary = summary
        self.remedy = remedy
        self.since = since
        self.lastSeen = lastSeen
        self.data = data
    }
}

/// `POST /api/v1/findings/{id}/acknowledge` and `…/resolve`; the body is optional.
package struct NoteRequest: Codable, Sendable {
    /// For those who read it later.
    package var note: String?

    package init(note: String? = nil) { self.note = note }
}

/// Data of a node that never came: it was lost before it could be sent or stored.
package struct GapView: Codable, Sendable {
    package var id: String
    package var node: String
    /// What people call it; absent once the node is removed.
    package var nodeName: String?
    /// `metrics`, `usage` or `events`.
    package var kind: String
    /// The first and the last number that is missing; both 0 where nobody knows how many.
    package var fromSeq: Int64
    package var toSeq: Int64
    package var from: Timestamp
    package var to: Timestamp
    package var reason: String

    package init(
        id: String, node: String, kind: String, fromSeq: Int64, toSeq: Int64, from: Timestamp, to: Timestamp,
        reason: String
    ) {
        self.id = id
        self.node = node
        self.kind = kind
        self.fromSeq = fromSeq
        self.toSeq = toSeq
        self.from = from
        self.to = to
        self.reason = reason
    }
}

/// Something that a node saw.
package struct NodeEventView: Codable, Sendable {
    package var id: String
    /// Not for customers.
    package var node: String?
    /// What people call it; absent once the node is removed.
    package var nodeName: String?
    /// By the node's clock.
    package var time: Timestamp
    package var driver: String
    package var resource: String?
    package var kind: String
    package var data: JSONValue?

    package init(
        id: String, node: String?, time: Timestamp, driver: String, resource: String?, kind: String, data: JSONValue?
    ) {
        self.id = id
        self.node = node
        self.time = time
        self.driver = driver
        self.resource = resource
        self.kind = kind
        self.data = data
    }
}

/// Something that a driver has on a node.
package struct InventoryItemView: Codable, Sendable {
    package var node: String
    /// What people call it; absent once the node is removed.
    package var nodeName: String?
    package var driver: String
    package var resource: String
    package var updatedAt: Timestamp
    /// What its driver says of it; in a list, only the short of it.
    package var state: JSONValue?

    package init(node: String, driver: String, resource: String, updatedAt: Timestamp, state: JSONValue?) {
        self.node = node
        self.driver = driver
        self.resource = resource
        self.updatedAt = updatedAt
        self.state = state
    }
}
