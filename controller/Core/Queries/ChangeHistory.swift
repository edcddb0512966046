import Store
import Synchronization

/// The last changes of the store, numbered, so that a reader that was away for a moment can go on where it was. Readers
/// hold a place in it and nothing else: a slow one costs no memory.
package final class ChangeHistory: Sendable {
    /// What is behind a place.
    enum Reading: Sendable {
        case changes([Change], upTo: Int)
        /// The place is not in the history any more, or changes were lost: read everything anew, go on from `upTo`.
        case missed(upTo: Int)
    }

    private struct State {
        var changes: [Change] = []
        /// Number of the first one that is kept; numbers start at 1.
        var first = 1
        var bells: [Int: AsyncStream<Void>.Continuation] = [:]
        var nextBell = 0
        var isFinished = false

        var last: Int { first + changes.count - 1 }
    }

    /// Tells this run of the controller from others: places of another run mean nothing here.
    let run: String
    let seal = PlaceSeal()
    private let state = Mutex(State())
    private let capacity: Int

    package init(run: String, capacity: Int = 4096) {
        self.run = run
        self.capacity = capacity
    }

    /// The place behind everything that has happened.
    var end: Int { state.withLock { $0.last } }

    /// Takes all that the store changes from now on, until the task is cancelled or the store is closed.
    package func follow(_ operations: Operations) -> @Sendable () async -> Void {
        let changes = operations.dependencies.store.changes()
        return { for await change in changes { self.append(change) } }
    }

    func append(_ change: Change) {
        let bells = state.withLock { state in
            state.changes.append(change)
            if state.changes.count > capacity {
                let excess = capacity / 4
                state.changes.removeFirst(excess)
                state.first += excess
            }
            return Array(state.bells.values)
        }
        for bell in bells { bell.yield() }
    }

    /// At most `limit` changes behind `place`.
    func read(after place: Int, limit: Int = 256) -> Reading {
        state.withLock { state in
            guard place >= state.first - 1, place <= state.last else { return .missed(upTo: state.last) }
            let start = place - state.first + 1
            let changes = state.changes[start..<min(start + limit, state.changes.count)]
            if let loss = changes.firstIndex(where: { $0.kind == .missed }) {
                return .missed(upTo: state.first + loss)
            }
            return .changes(Array(changes), upTo: place + changes.count)
        }
    }

    /// Rings when something may be new; several rings become one. Ends when the controller stops. Nil when it does already.
    package func bell() -> AsyncStream<Void>? {
        let (stream, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        let number: Int? = state.withLock { state in
            guard !state.isFinished else { return nil }
            state.nextBell += 1
            state.bells[state.nextBell] = continuation
            return state.nextBell
        }
        guard let number else { return nil }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { _ = $0.bells.removeValue(forKey: number) }
        }
        return stream
    }

    package var listeners: Int { state.withLock { $0.bells.count } }

    /// Ends every bell, so that the streams that wait for them end too.
    package func finish() {
        let bells = state.withLock { state in
            state.isFinished = true
            defer { state.bells = [:] }
            return Array(state.bells.values)
        }
        for bell in bells { bell.finish() }
    }
}
