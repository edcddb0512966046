import Model
import Synchronization

/// Something in the store is new or different. It says where to look, not what: readers fetch the row.
package struct Change: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case node, token, key, plan, service, operation, event, finding, audit
        case operationLog = "operation_log"
        /// The reader was too slow and missed changes: read everything anew.
        case missed
    }

    package let kind: Kind
    package let id: String
    /// The service that an operation belongs to.
    package let service: String?
    /// The node that a service, an operation or an event belongs to.
    package let node: String?

    package init(kind: Kind, id: String, service: String? = nil, node: String? = nil) {
        self.kind = kind
        self.id = id
        self.service = service
        self.node = node
    }
}

/// Hands every committed change to every reader. A reader that does not keep up loses changes, never memory, and is
/// told so.
final class ChangeFeed: Sendable {
    static let capacity = 1024

    private struct Reader {
        let continuation: AsyncStream<Change>.Continuation
        var hasMissed = false

        mutating func offer(_ changes: [Change]) {
            if hasMissed {
                guard case .enqueued = continuation.yield(Change(kind: .missed, id: "")) else { return }
                hasMissed = false
            }
            for change in changes {
                guard case .enqueued = continuation.yield(change) else {
                    hasMissed = true
                    return
                }
            }
        }
    }

    private struct State {
        var next = 0
        var readers: [Int: Reader] = [:]
        var isFinished = false
    }

    private let state = Mutex(State())

    func subscribe() -> AsyncStream<Change> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Change.self, bufferingPolicy: .bufferingOldest(Self.capacity))
        let number: Int? = state.withLock { state in
            guard !state.isFinished else { return nil }
            state.next += 1
            state.readers[state.next] = Reader(continuation: continuation)
            return state.next
        }
        guard let number else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.readers.removeValue(forKey: number) }
        }
        return stream
    }

    func publish(_ changes: [Change]) {
        guard !changes.isEmpty else { return }
        state.withLock { state in
            for number in state.readers.keys { state.readers[number]?.offer(changes) }
        }
    }

    func finish() {
        let readers = state.withLock { state in
            state.isFinished = true
            defer { state.readers = [:] }
            return state.readers.values.map(\.continuation)
        }
        // Outside the lock: finishing calls onTermination, which takes it.
        for reader in readers { reader.finish() }
    }
}
