package import DriverKit
package import Model
import NIOConcurrencyHelpers

/// Events of a driver on their way to the disk. It is bounded; what comes while it is full is counted in its place.
package final class EventQueue: Sendable {
    package enum Entry: Sendable, Hashable {
        case event(DriverEvent)
        case lost(count: Int64, times: ClosedRange<Timestamp>)
    }

    private let limit: Int
    private let entries = NIOLockedValueBox<[Entry]>([])
    private let signals: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation

    package init(limit: Int = 1024) {
        self.limit = limit
        (signals, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Never waits, so that a driver never does.
    package func put(_ event: DriverEvent) {
        entries.withLockedValue { entries in
            guard entries.count >= limit else { return entries.append(.event(event)) }
            guard case .lost(let count, let times)? = entries.last else {
                return entries.append(.lost(count: 1, times: event.time...event.time))
            }
            let span = min(times.lowerBound, event.time)...max(times.upperBound, event.time)
            entries[entries.count - 1] = .lost(count: count + 1, times: span)
        }
        signal.yield()
    }

    /// No more comes; what is there may still be taken.
    package func finish() { signal.finish() }

    /// Hands over everything in its order, as much at a time as has come, until the queue is finished, or the task
    /// cancelled, and the queue is empty.
    package func drain(isolation: isolated (any Actor)? = #isolation, _ take: ([Entry]) async -> Void) async {
        for await _ in signals { await emptied(take) }
        await emptied(take)
    }

    private func emptied(isolation: isolated (any Actor)? = #isolation, _ take: ([Entry]) async -> Void) async {
        while true {
            let batch = entries.withLockedValue { entries in
                defer { entries.removeAll(keepingCapacity: entries.capacity <= 64) }
                return entries
            }
            guard !batch.isEmpty else { return }
            await take(batch)
        }
    }
}
