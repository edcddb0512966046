import Synchronization

/// Releases over which a Helm that this agent had started has died: what is pending there is nobody's work.
final class OrphanedReleases: Sendable {
    private let resources = Mutex<Set<String>>([])

    func add(_ resource: String) { resources.withLock { _ = $0.insert(resource) } }
    func remove(_ resource: String) { resources.withLock { _ = $0.remove(resource) } }
    func has(_ resource: String) -> Bool { resources.withLock { $0.contains(resource) } }
}
