import DriverKit
import Synchronization

/// Names that somebody works on: one at a time each. The engine itself makes two networks of one name when it is asked
/// for them at the same moment.
final class NameGate: Sendable {
    private let held = Mutex<Set<String>>([])

    /// Runs `work` while nobody else of this driver works on the name.
    func holding<Value>(
        _ name: String, _ work: () async throws(DriverError) -> Value
    ) async throws(DriverError) -> Value {
        while !held.withLock({ $0.insert(name).inserted }) {
            do { try await Task.sleep(for: .milliseconds(20)) } catch { throw DriverError(.cancelled, "broken off") }
        }
        defer { held.withLock { _ = $0.remove(name) } }
        return try await work()
    }
}
