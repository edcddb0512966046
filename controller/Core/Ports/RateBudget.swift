import Synchronization

/// How many calls may go out to somebody in any span of time, over all operations. Exact: no span of the window's length ever
/// has more than the limit.
package struct RateWindow: Sendable {
    package let limit: Int
    package let window: Duration
    /// When the last `limit` calls went or will go out, oldest first.
    private var booked: [Duration] = []
    private var oldest = 0

    package init(limit: Int, window: Duration) {
        (self.limit, self.window) = (max(1, limit), window)
    }

    /// Books the next call and says how long it must wait; nil, and nothing is booked, when that is longer than `patience`.
    package mutating func book(at now: Duration, patience: Duration) -> Duration? {
        guard booked.count == limit else {
            booked.append(max(now, booked.last ?? now))
            return max(.zero, (booked.last ?? now) - now)
        }
        let last = booked[(oldest + limit - 1) % limit]
        let turn = max(now, booked[oldest] + window, last)
        guard turn - now <= patience else { return nil }
        booked[oldest] = turn
        oldest = (oldest + 1) % limit
        return turn - now
    }
}

/// A budget that all who call the same outside share: Cloudflare takes 1,200 requests in 5 minutes.
package final class RateBudget: Sendable {
    private let name: String
    private let clock: ClockPort
    private let patience: Duration
    private let state: Mutex<RateWindow>
    /// Until when nobody calls, by the clock's uptime.
    private let closed = Mutex<Duration>(.zero)

    /// - Parameters:
    ///   - name: of who is called, for people.
    ///   - patience: the longest that a call waits for its turn.
    package init(
        _ name: String, limit: Int, window: Duration, patience: Duration = .seconds(60), clock: ClockPort = .system
    ) {
        (self.name, self.clock, self.patience) = (name, clock, patience)
        state = Mutex(RateWindow(limit: limit, window: window))
    }

    /// Waits for a turn. Throws `busy` when it would take too long.
    package func spend() async throws(PortError) {
        var patience = patience
        while true {
            let now = clock.uptime()
            let rest = max(.zero, closed.withLock { $0 } - now)
            guard rest <= patience else { throw busy }
            if rest > .zero {
                // A longer rest may be asked for meanwhile.
                try await pause(rest)
                patience -= rest
                continue
            }
            guard let wait = state.withLock({ $0.book(at: now, patience: patience) }) else { throw busy }
            if wait > .zero { try await pause(wait) }
            return
        }
    }

    private var busy: PortError {
        PortError(.busy, "\(name) gets as many calls as it takes; it is asked again later")
    }

    private func pause(_ time: Duration) async throws(PortError) {
        await clock.pause(time)
        if Task.isCancelled { throw PortError(.busy, "nobody waits for the answer of \(name) any more") }
    }

    /// Holds all calls back for some time: who is called has asked for it.
    package func rest(_ time: Duration) {
        let until = clock.uptime() + time
        closed.withLock { $0 = max($0, until) }
    }
}
