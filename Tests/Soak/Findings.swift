import Glibc
import Synchronization

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

/// Numbers that follow from a seed (SplitMix64).
struct SeededNumbers: RandomNumberGenerator, Sendable {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func seconds(_ range: ClosedRange<Double>) -> Duration { .seconds(Double.random(in: range, using: &self)) }
}

/// A line on standard output, at once: whoever watches a long run wants to see it now.
func say(_ line: String) {
    print(line)
    fflush(nil)
}
