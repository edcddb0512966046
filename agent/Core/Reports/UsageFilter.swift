package import DriverKit

/// Lets a reading of a counter through when it says something new. Since counters only grow, a reading that repeats the last
/// one adds nothing to an invoice.
package struct UsageFilter: Sendable {
    private struct Key: Hashable { let subject, meter, epoch: String }

    private var last: [Key: Int64] = [:]

    package init() {}

    /// The readings that differ from what was kept.
    package func news(_ counters: [UsageCounter]) -> [UsageCounter] {
        counters.filter { $0.value >= 0 && last[Self.key($0)] != $0.value }
    }

    /// What is on disk now. Counters that no longer come are forgotten.
    package mutating func kept(_ counters: [UsageCounter]) {
        last = Dictionary(counters.map { (Self.key($0), $0.value) }) { $1 }
    }

    private static func key(_ counter: UsageCounter) -> Key {
        Key(subject: counter.subject, meter: counter.meter, epoch: counter.epoch)
    }
}
