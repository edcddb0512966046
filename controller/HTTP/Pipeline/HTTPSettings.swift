/// How a server and its endpoints behave; the defaults are for production.
package struct HTTPSettings: Sendable {
    /// How long the body of a request may take to arrive.
    package var bodyDeadline: Duration = .seconds(15)
    /// How long a connection may be silent, and how long the head of a request may take to arrive.
    package var idleTimeout: Duration = .seconds(60)
    /// Of all together; half of them are for those who have not shown a key, or need none.
    package var maximumConnections = 1024
    package var callers = CallerLimits()
    /// Requests of one key.
    package var keyRate = Rate(perSecond: 200, burst: 2000)
    /// Requests without a key from one address, but for `/healthz`.
    package var openRate = Rate(perSecond: 20, burst: 200)
    /// Attempts with keys that do not hold, from one address.
    package var guessRate = Rate(perSecond: 0.5, burst: 30)
    var events = EventTiming()

    package init() {}

    /// How event streams keep time: between signs of life, and until a reader that does not read is cut.
    package mutating func paceEvents(heartbeat: Duration, patience: Duration) {
        events = EventTiming(heartbeat: heartbeat, patience: patience)
    }
}
