/// Whether an operation may change anything.
package enum OperationReportKind: OpenCode {
    /// It only looks, and may be done again.
    case observe
    case mutate
    case unknown(String)

    package static let known: [OperationReportKind] = [.observe, .mutate]

    package var code: String {
        switch self {
        case .observe: "observe"
        case .mutate: "mutate"
        case .unknown(let code): code
        }
    }
}

/// One operation of a driver, as its node offers it.
package struct OperationReport: WireRecord {
    /// Most operations that one driver lists.
    package static let maximumCount = 512
    package static let maximumSummaryBytes = 256

    /// Without the driver's name: `container.ensure`.
    package var name: String
    /// An unknown kind counts as one that changes something.
    package var kind: OperationReportKind
    /// One line for people.
    package var summary: String
    /// Time limit of a command that brings none, in ms.
    package var deadlineMs: Int64
    /// As good as a shell on the node: off unless its policy names it.
    package var guarded: Bool
    /// False where the node's policy allows it on no resource.
    package var allowed: Bool

    /// - Parameter summary: cut to what a line takes.
    package init(
        name: String, kind: OperationReportKind, summary: String, deadlineMs: Int64, guarded: Bool = false,
        allowed: Bool = true
    ) {
        self.name = name
        self.kind = kind
        let words = summary.utf8.count <= Self.maximumSummaryBytes ? summary : String(summary.prefix(60))
        self.summary = words.isEmpty ? name : words
        self.deadlineMs = deadlineMs
        self.guarded = guarded
        self.allowed = allowed
    }

    package init(reading fields: JSONObject) throws(FieldError) {
        name = try fields.id("name")
        kind = try fields.code("kind")
        summary = try fields.name("summary", limit: Self.maximumSummaryBytes)
        deadlineMs = try fields.interval("deadline_ms")
        guarded = try fields.bool("guarded")
        allowed = try fields.bool("allowed")
    }

    package func write(_ fields: inout FieldWriter) {
        fields.put("name", name)
        fields.put("kind", kind)
        fields.put("summary", summary)
        fields.put("deadline_ms", deadlineMs)
        fields.put("guarded", guarded)
        fields.put("allowed", allowed)
    }
}
