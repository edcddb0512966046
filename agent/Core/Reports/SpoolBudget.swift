/// The kinds of reports that wait on disk until the controller has stored them.
package enum ReportKind: Int, Sendable, Hashable, CaseIterable {
    case metrics = 0
    case usage = 1
    case events = 2
}

/// How much the spool holds, and who must go when it holds too much: the oldest metrics first, then the oldest events;
/// usage never.
package struct SpoolBudget: Sendable {
    package let limit: Int
    private var bytes: [ReportKind: Int]
    /// Bytes of the names that metrics count on; they go with the metrics.
    package var names: Int

    /// - Parameters:
    ///   - limit: bytes on disk that all kinds may take together.
    ///   - bytes: what they take now.
    package init(limit: Int, bytes: [ReportKind: Int] = [:], names: Int = 0) {
        self.limit = limit
        self.bytes = bytes
        self.names = names
    }

    package var total: Int { bytes.values.reduce(names, +) }

    package mutating func added(_ count: Int, of kind: ReportKind) { bytes[kind, default: 0] += count }

    package mutating func removed(_ count: Int, of kind: ReportKind) {
        bytes[kind] = max(0, bytes[kind, default: 0] - count)
    }

    /// The kind that must give way and by how many bytes at least; some room to spare is taken along, so that a full spool
    /// does not pay for an eviction with each report.
    package func excess() -> (kind: ReportKind, bytes: Int)? {
        guard total > limit else { return nil }
        let goal = total - limit + limit / 64
        for kind in [ReportKind.metrics, .events] where bytes[kind, default: 0] > 0 {
            return (kind, min(goal, bytes[kind, default: 0] + (kind == .metrics ? names : 0)))
        }
        return nil
    }
}
