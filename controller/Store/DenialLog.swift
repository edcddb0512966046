import Model
import Synchronization
import WireProtocol

/// Calls and enrolments that were refused for who asked, in the audit log.
///
/// The audit log is kept for ever, so a flood of refusals must not fill it: of one asker and one reason there is a row at once
/// and then at most one each ten minutes, with the number of those in between; of all askers together as many rows as the
/// budget gives, and the rest is counted on the next row.
package final class DenialLog: Sendable {
    private struct Visit {
        var recordedAt: Timestamp
        var since: Int64 = 0
    }

    private struct State {
        var visits: [String: Visit] = [:]
        /// Rows that may be written now.
        var budget = DenialLog.burst
        var filledAt: Timestamp?
        /// Of those for whom there was no budget.
        var uncounted: Int64 = 0
    }

    static let pause = Duration.seconds(600)
    static let burst = 60
    /// A row more each three minutes: 175,000 a year at most, whatever comes.
    static let refill = Duration.seconds(180)
    static let maximumAskers = 1024

    private let store: Store
    private let state = Mutex(State())

    package init(store: Store) { self.store = store }

    /// - Parameter record: without `others`; its actor, action, address and `reason` make it the same kind of refusal.
    package func note(_ record: AuditRecord) async {
        let reason = record.detail["reason"]?.asString ?? ""
        let key = "\(record.actor)\n\(record.action)\n\(record.remote ?? "")\n\(reason)"
        guard let others = state.withLock({ Self.due(&$0, key, record.time) }) else { return }
        var record = record
        if others > 0 { record.detail["others"] = .integer(others) }
        // A store that cannot write now has other worries, and the refusal stands in the log as well.
        try? await store.audit(record)
    }

    /// How many were passed over since the last row; nil when this one is to be passed over too.
    private static func due(_ state: inout State, _ key: String, _ now: Timestamp) -> Int64? {
        fill(&state, now)
        if let visit = state.visits[key], now - visit.recordedAt < pause {
            state.visits[key]?.since += 1
            return nil
        }
        if state.visits.count >= maximumAskers {
            let old = state.visits.filter { now - $0.value.recordedAt >= pause }
            state.uncounted += old.values.reduce(0) { $0 + $1.since }
            for key in old.keys { state.visits[key] = nil }
        }
        guard state.budget > 0, state.visits.count < maximumAskers else {
            state.uncounted += 1
            return nil
        }
        state.budget -= 1
        defer {
            state.visits[key] = Visit(recordedAt: now)
            state.uncounted = 0
        }
        return (state.visits[key]?.since ?? 0) + state.uncounted
    }

    private static func fill(_ state: inout State, _ now: Timestamp) {
        guard let filledAt = state.filledAt, filledAt <= now else {
            state.filledAt = now
            return
        }
        let rows = (now - filledAt).wholeMilliseconds / refill.wholeMilliseconds
        guard rows > 0 else { return }
        state.budget = Int(min(Int64(burst), Int64(state.budget) + rows))
        state.filledAt = filledAt + .milliseconds(rows * refill.wholeMilliseconds)
    }
}
