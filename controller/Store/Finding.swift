package import WireProtocol

/// What somebody has found out and tells the store with `raise`.
package struct Finding: Sendable, Hashable {
    /// What is wrong, in words with dots between: `drift.missing`, `clock.ahead`.
    package var kind: String
    /// What it is about: `service/ID`, `node/ID`, `operation/ID`. Of one kind and subject there is one open finding, so
    /// that whoever raises one chooses subjects that are few.
    package var subject: String
    package var severity: FindingRecord.Severity
    package var node: String?
    package var service: String?
    /// One sentence that says what is so, for people.
    package var summary: String
    /// One sentence that says what to do.
    package var remedy: String
    package var data: JSONObject

    package init(
        _ kind: String, subject: String, _ severity: FindingRecord.Severity, node: String? = nil,
        service: String? = nil, summary: String, remedy: String, data: JSONObject = [:]
    ) {
        self.kind = kind
        self.subject = subject
        self.severity = severity
        self.node = node
        self.service = service
        self.summary = summary
        self.remedy = remedy
        self.data = data
    }
}

extension Finding {
    /// A thing of a service, by its noun: it bears another's mark, or that of another making.
    package static func foreignKind(_ noun: String) -> String { "service.foreign_\(noun)" }
    /// It bears no mark, or one of a time when marks told no making from another.
    package static func unmarkedKind(_ noun: String) -> String { "service.unmarked_\(noun)" }

    /// Something that it can be without for a while is not there yet.
    package static func wantedKind(_ name: String) -> String { "service.\(name)_wanted" }

    /// Whether it is about what a service has outside, and ends with that.
    static func isAboutThings(_ kind: String) -> Bool {
        kind == "service.drift" || kind.hasSuffix("_wanted")
            || [foreignKind(""), unmarkedKind("")].contains { kind.hasPrefix($0) }
    }
}

/// Which findings are wanted; nil means any.
package struct FindingFilter: Sendable, Hashable {
    /// `open` is neither acknowledged nor resolved.
    package enum State: String, Sendable, Hashable, CaseIterable { case open, acknowledged, resolved }

    package var state: State?
    package var severity: FindingRecord.Severity?
    package var kind: String?
    package var node: String?
    package var service: String?
    /// Where no state is asked for: those that are resolved too.
    package var withResolved: Bool
    /// About services of this customer.
    package var customer: String?

    package init(
        state: State? = nil, severity: FindingRecord.Severity? = nil, kind: String? = nil, node: String? = nil,
        service: String? = nil, withResolved: Bool = true, customer: String? = nil
    ) {
        self.customer = customer
        self.state = state
        self.severity = severity
        self.kind = kind
        self.node = node
        self.service = service
        self.withResolved = withResolved
    }
}

extension FindingRecord {
    package var state: FindingFilter.State {
        if resolvedAt != nil { return .resolved }
        return acknowledgedAt == nil ? .open : .acknowledged
    }
}
