import Model
import Synchronization

/// How often something may happen: `burst` at once, then `perSecond`.
package struct Rate: Sendable, Hashable {
    package var perSecond: Double
    package var burst: Double

    package init(perSecond: Double, burst: Double) {
        self.perSecond = perSecond
        self.burst = burst
    }
}

/// What is left of a rate.
struct Allowance: Sendable, Hashable {
    private(set) var left: Double
    private(set) var time: Timestamp

    init(full rate: Rate, at time: Timestamp) {
        left = rate.burst
        self.time = time
    }

    /// Takes one; else says how long it takes until there is one.
    mutating func take(_ rate: Rate, at now: Timestamp) -> Duration? {
        fill(rate, at: now)
        guard left < 1 else {
            left -= 1
            return nil
        }
        return .milliseconds(Int64(((1 - left) / rate.perSecond * 1000).rounded(.up)))
    }

    /// Whether it is as if it had never been used.
    func isFull(_ rate: Rate, at now: Timestamp) -> Bool {
        var copy = self
        copy.fill(rate, at: now)
        return copy.left >= rate.burst
    }

    private mutating func fill(_ rate: Rate, at now: Timestamp) {
        // A clock that was set back gives nothing and takes nothing.
        let passed = Double(max(0, (now - time).wholeMilliseconds)) / 1000
        left = min(rate.burst, left + passed * rate.perSecond)
        time = now
    }
}

/// Keeps many at a rate, each by name. Its memory is bounded: beyond `capacity` names those that have their full allowance
/// are forgotten first, and when there are none, newcomers share one allowance.
final class Pace: Sendable {
    private let rate: Rate
    private let capacity: Int
    private let allowances = Mutex<[String: Allowance]>([:])
    private static let others = ""

    init(_ rate: Rate, capacity: Int = 10_000) {
        self.rate = rate
        self.capacity = capacity
    }

    /// Nil when `name` may; else how long it should wait.
    func take(_ name: String, at now: Timestamp) -> Duration? {
        allowances.withLock { allowances in
            if allowances[name] == nil, allowances.count >= capacity {
                allowances = allowances.filter { !$0.value.isFull(rate, at: now) }
            }
            let name = allowances[name] == nil && allowances.count >= capacity ? Self.others : name
            return allowances[name, default: Allowance(full: rate, at: now)].take(rate, at: now)
        }
    }
}
