import WireProtocol

/// What of a report was not counted, and why: a number and one example of each.
struct UsageAside {
    enum Reason: CaseIterable { case strangers, elsewhere, impossible, backwards, late, oversized }

    private struct Tally {
        var count: Int
        let example: UsageReport.Counter
        let service: String?
    }

    private var tallies: [Reason: Tally] = [:]

    mutating func note(_ reason: Reason, _ counter: UsageReport.Counter, service: String? = nil) {
        tallies[reason, default: Tally(count: 0, example: counter, service: service)].count += 1
    }

    /// One for each reason.
    func findings(node: String, name: String) -> [Finding] {
        Reason.allCases.compactMap { reason in
            guard let tally = tallies[reason] else { return nil }
            let counter = tally.example
            let data: JSONObject = [
                "counters": .integer(Int64(tally.count)), "subject": .string(counter.subject.capped(to: 256)),
                "meter": .string(counter.meter.capped(to: 64)), "epoch": .string(counter.epoch.capped(to: 128)),
                "value": .integer(counter.value),
            ]
            return Finding(
                reason.kind, subject: "node/\(node)", reason.severity, node: node, service: tally.service,
                summary: "Node \(name) \(reason.summary(counter))", remedy: reason.remedy, data: data)
        }
    }
}

extension UsageAside.Reason {
    fileprivate var kind: String {
        switch self {
        case .strangers: "usage.strangers"
        case .elsewhere: "usage.elsewhere"
        case .impossible: "usage.impossible"
        case .backwards: "usage.backwards"
        case .late: "usage.late"
        case .oversized: "usage.oversized"
        }
    }

    /// All kinds, for those who settle them.
    static var kinds: [String] { allCases.map(\.kind) }

    fileprivate var severity: FindingRecord.Severity {
        switch self {
        case .strangers: .info
        case .elsewhere, .backwards, .late, .oversized: .warning
        case .impossible: .error
        }
    }

    fileprivate func summary(_ counter: UsageReport.Counter) -> String {
        let subject = counter.subject.capped(to: 128)
        return switch self {
        case .strangers: "counts the usage of \(subject), which belongs to no service there; it is not counted."
        case .elsewhere:
            "counts the usage of \(subject), which is a service's on another node and not on this one; it is not counted."
        case .impossible:
            "says that \(subject) has used more \(counter.meter.capped(to: 64)) than is possible in the time; it is not counted."
        case .backwards: "says a lower \(counter.meter.capped(to: 64)) of \(subject) than before, in the same epoch."
        case .late: "counts \(subject) in an epoch that is older than all that are remembered; it is not counted."
        case .oversized: "names what it counts in more bytes than are kept; it is not counted."
        }
    }

    fileprivate var remedy: String {
        switch self {
        case .strangers: "Nothing to do for what others run there; what should be a service's has to be placed there."
        case .elsewhere:
            "See why that name is in use there; if nobody can say why, revoke the node: it may speak for others on purpose."
        case .impossible:
            "Look at the node's clock and agent; counting goes on by itself from the last figure that was possible."
        case .backwards: "Look at the node's agent: a counter only grows within its epoch."
        case .late: "Look at the node's clock; what was used then is missing from the books and can be corrected there."
        case .oversized: "See what the node has given so long a name."
        }
    }
}
