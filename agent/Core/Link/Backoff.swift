/// How long to wait before the next attempt to connect: exponential between two bounds, spread by chance so that a fleet
/// does not come back all at once.
package struct Backoff: Sendable {
    private let shortest: Duration
    private let longest: Duration
    private var ceiling: Duration

    package init(shortest: Duration = .seconds(1), longest: Duration = .seconds(60)) {
        (self.shortest, self.longest) = (shortest, longest)
        ceiling = shortest * 2
    }

    /// The wait before the next attempt.
    /// - Parameter chance: a random number of 0..<1.
    package mutating func next(chance: Double) -> Duration {
        let wait = shortest + (ceiling - shortest) * chance
        ceiling = min(ceiling * 2, longest)
        return wait
    }

    /// Starts over after a session that was good.
    package mutating func reset() { self = Backoff(shortest: shortest, longest: longest) }

    /// Goes to the longest waits at once, for a controller that said not to come back.
    package mutating func slowDown() { ceiling = longest }
}
