/// Entries of a stream that the agent had to drop. The controller stores it in their place, so the loss stays visible.
package struct Gap: WireMessage {
    package static let type = "gap"

    package var kind: GapKind
    /// First and last lost sequence number.
    package var fromSeq: Int64
    package var toSeq: Int64
    /// Source times of the first and last lost entry, ms since 1970.
    package var from: Int64
    package var to: Int64
    /// One phrase: `spool full`.
    package var reason: String

    package init(kind: GapKind, fromSeq: Int64, toSeq: Int64, from: Int64, to: Int64, reason: String) {
        self.kind = kind
        self.fromSeq = fromSeq
        self.toSeq = toSeq
        self.from = from
        self.to = to
        self.reason = reason
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        kind = try fields.code("kind")
        fromSeq = try fields.natural("from_seq")
        toSeq = try fields.integer("to_seq", in: fromSeq...Int64.max)
        from = try fields.natural("from")
        to = try fields.natural("to")
        reason = try fields.string("reason")
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("kind", kind)
        fields.put("from_seq", fromSeq)
        fields.put("to_seq", toSeq)
        fields.put("from", from)
        fields.put("to", to)
        fields.put("reason", reason)
    }
}

/// The streams that may lose entries. Usage is not one of them.
package enum GapKind: OpenCode {
    case metrics
    case events
    case unknown(String)

    package static let known: [GapKind] = [.metrics, .events]

    package var code: String {
        switch self {
        case .metrics: "metrics"
        case .events: "events"
        case .unknown(let code): code
        }
    }
}
