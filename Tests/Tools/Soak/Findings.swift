import Glibc
import Synchronization
import TestSupport

/// What a soak counts, and which promises were broken.
final class Findings: Sendable {
    private let state = Mutex<(breaches: [String], counts: [String: Int])>(([], [:]))

    /// A promise was broken. Only the first hundred are kept.
    func breach(_ what: String) {
        state.withLock { if $0.breaches.count < 100 { $0.breaches.append(what) } }
        say("BROKEN: \(what)")
    }

    func count(_ what: String, _ number: Int = 1) { state.withLock { $0.counts[what, default: 0] += number } }

    var breaches: [String] { state.withLock { $0.breaches } }
    var counts: [(what: String, number: Int)] {
        state.withLock { $0.counts }.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}

extension SeededGenerator {
    mutating func seconds(_ range: ClosedRange<Double>) -> Duration { .seconds(Double.random(in: range, using: &self)) }
}

/// A line on standard output, at once: whoever watches a long run wants to see it now.
func say(_ line: String) {
    print(line)
    fflush(nil)
}
